//! Features of the kernel that Docker, kube-proxy and the network plugin need.

use std::collections::BTreeMap;

use crate::ports::Host;

/// Whether a kernel has a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    Has,
    Lacks,
    Unknown,
}

/// One feature: any of these options of the kernel's configuration gives it, any of these modules brings it.
pub struct Feature {
    pub name: &'static str,
    options: &'static [&'static str],
    modules: &'static [&'static str],
    whose: Whose,
}

#[derive(PartialEq)]
enum Whose {
    Everybody,
    KubeRouter,
    Kindnet,
}

/// Without it kindnet enforces no network policy.
pub const QUEUE: &str = "nft_queue";

/// Names that a running lab's rules and sets use, and what the nodes stand on.
pub const FEATURES: [Feature; 19] = [
    feature("overlay", &["OVERLAY_FS"], &["overlay"]),
    feature("veth", &["VETH"], &["veth"]),
    feature("bridge", &["BRIDGE"], &["bridge"]),
    feature("br_netfilter", &["BRIDGE_NETFILTER"], &["br_netfilter"]),
    feature("nf_nat", &["NF_NAT"], &["nf_nat"]),
    // Either set of rules will do.
    feature("ip_tables", &["IP_NF_IPTABLES", "NFT_COMPAT"], &["ip_tables", "nft_compat"]),
    feature("xt_comment", &["NETFILTER_XT_MATCH_COMMENT"], &["xt_comment"]),
    feature("xt_conntrack", &["NETFILTER_XT_MATCH_CONNTRACK"], &["xt_conntrack"]),
    feature("xt_mark", &["NETFILTER_XT_MARK"], &["xt_mark"]),
    feature("xt_addrtype", &["NETFILTER_XT_MATCH_ADDRTYPE"], &["xt_addrtype"]),
    feature("xt_statistic", &["NETFILTER_XT_MATCH_STATISTIC"], &["xt_statistic"]),
    feature("xt_multiport", &["NETFILTER_XT_MATCH_MULTIPORT"], &["xt_multiport"]),
    of_kube_router("ip_set", &["IP_SET"], &["ip_set"]),
    of_kube_router("ip_set_hash_ip", &["IP_SET_HASH_IP"], &["ip_set_hash_ip"]),
    of_kube_router("ip_set_hash_net", &["IP_SET_HASH_NET"], &["ip_set_hash_net"]),
    of_kube_router("xt_set", &["NETFILTER_XT_SET"], &["xt_set"]),
    of_kube_router("xt_physdev", &["NETFILTER_XT_MATCH_PHYSDEV"], &["xt_physdev"]),
    of_kube_router("xt_limit", &["NETFILTER_XT_MATCH_LIMIT"], &["xt_limit"]),
    Feature { name: QUEUE, options: &["NFT_QUEUE"], modules: &["nft_queue"], whose: Whose::Kindnet },
];

const fn feature(name: &'static str, options: &'static [&'static str], modules: &'static [&'static str]) -> Feature {
    Feature { name, options, modules, whose: Whose::Everybody }
}

const fn of_kube_router(
    name: &'static str,
    options: &'static [&'static str],
    modules: &'static [&'static str],
) -> Feature {
    Feature { name, options, modules, whose: Whose::KubeRouter }
}

impl Feature {
    pub fn wanted(&self, kindnet: bool) -> bool {
        match self.whose {
            Whose::Everybody => true,
            Whose::KubeRouter => !kindnet,
            Whose::Kindnet => kindnet,
        }
    }

    /// A module that is loaded or lies ready is there. What neither the configuration nor both lists of modules
    /// name is not there. Where these cannot be read, nobody can tell.
    fn support(&self, kernel: &Kernel) -> Support {
        if self.modules.iter().any(|module| kernel.has_module(module)) {
            return Support::Has;
        }
        let configured: Vec<char> = self.options.iter().filter_map(|option| kernel.option(option)).collect();
        if configured.contains(&'y') {
            return Support::Has;
        }
        // A module of which there is no file was not installed with this kernel.
        if kernel.lists_are_there || (!configured.is_empty() && !configured.contains(&'m')) {
            return Support::Lacks;
        }
        Support::Unknown
    }
}

/// What the running kernel says of itself.
struct Kernel {
    config: Option<String>,
    modules: Vec<String>,
    /// All modules that could be loaded or are built in are among `modules`.
    lists_are_there: bool,
}

impl Kernel {
    fn look(host: &impl Host, release: &str) -> Self {
        let folder = format!("/lib/modules/{release}");
        let configs = ["/proc/config.gz".to_owned(), format!("/boot/config-{release}"), format!("{folder}/config")];
        let lists = ["modules.builtin", "modules.dep"].map(|list| host.text(&format!("{folder}/{list}")));
        let loaded = host.text("/proc/modules").unwrap_or_default();
        let mut modules: Vec<String> = loaded.lines().filter_map(|line| line.split(' ').next()).map(plain).collect();
        modules.extend(lists.iter().flatten().flat_map(|list| list.lines()).map(module_of));
        let filesystems = host.text("/proc/filesystems").unwrap_or_default();
        modules.extend(filesystems.lines().filter_map(|line| line.split_whitespace().last()).map(plain));
        Self {
            config: configs.iter().find_map(|path| host.text(path)),
            modules,
            lists_are_there: lists.iter().all(Option::is_some),
        }
    }

    fn has_module(&self, name: &str) -> bool {
        self.modules.iter().any(|module| module == name)
    }

    /// `y`, `m` or, where it is not set, `n`; none where there is no configuration to read.
    fn option(&self, name: &str) -> Option<char> {
        let start = format!("CONFIG_{name}=");
        let found = self.config.as_ref()?.lines().find_map(|line| line.strip_prefix(&start)?.chars().next());
        Some(found.unwrap_or('n'))
    }
}

/// Files of modules have dashes where their names have underscores.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

/// `kernel/net/netfilter/xt_set.ko.zst: …` is `xt_set`.
fn module_of(line: &str) -> String {
    let path = line.split(':').next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    plain(file.split('.').next().unwrap_or_default())
}

/// Looks for every feature.
pub fn look(host: &impl Host, release: &str) -> BTreeMap<&'static str, Support> {
    let kernel = Kernel::look(host, release);
    FEATURES.iter().map(|feature| (feature.name, feature.support(&kernel))).collect()
}
