//! The examination against a world in memory: every problem at once, and nothing made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::world::{Machine, Say, container};
use super::{Bench, next, told};
use crate::config::Cni;
use crate::config::ImageSource;
use crate::fault;
use crate::images::Supply;
use crate::ports::{Engine, Network, Output};
use crate::run::check_host;
use crate::run::doctor::{Examination, Finding, Level};

async fn problems(bench: &Bench, machine: &Machine) -> String {
    match check_host(&bench.run(), machine).await {
        Ok(()) => String::new(),
        Err(error) => {
            let (code, text) = told(&error);
            assert_eq!(code, 4, "{text}");
            assert!(next(&error).starts_with("make setup"));
            text
        }
    }
}

async fn findings(bench: &Bench, machine: &Machine) -> Vec<Finding> {
    Examination::of(&bench.run(), machine).findings().await.unwrap()
}

async fn levels(bench: &Bench, machine: &Machine) -> BTreeMap<&'static str, Level> {
    findings(bench, machine).await.into_iter().map(|finding| (finding.id, finding.level)).collect()
}

async fn finding(bench: &Bench, machine: &Machine, id: &str) -> Finding {
    let found = findings(bench, machine).await.into_iter().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("there is no finding {id}"))
}

fn fix(finding: &Finding) -> &str {
    finding.fix.as_ref().map_or("", |fix| &fix.command)
}

fn network(name: &str, subnet: &str) -> Network {
    Network { name: name.to_owned(), subnet: subnet.to_owned(), labels: BTreeMap::new() }
}

#[tokio::test(start_paused = true)]
async fn a_good_machine_has_no_problems() {
    let bench = Bench::full();
    bench.world.state().networks.push(network("bridge", "172.17.0.0/16"));
    bench.world.state().networks.push(network("none", ""));
    for finding in findings(&bench, &Machine::default()).await {
        // Of the kernel this machine says nothing.
        let expected = if ["kernel-features", "memory-free", "ip-forward"].contains(&finding.id) {
            Level::NotChecked
        } else {
            Level::Ok
        };
        assert_eq!(finding.level, expected, "{finding:?}");
    }
    assert_eq!(problems(&bench, &Machine::default()).await, "");
}

#[tokio::test(start_paused = true)]
async fn all_problems_are_listed_at_once() {
    let bench = Bench::full();
    {
        let mut state = bench.world.state();
        state.engine.version = "20.10.24+dfsg1".to_owned();
        state.engine.memory = 4 << 30;
        state.networks.push(network("office", "172.29.0.0/16"));
        state.containers.push(container("lab", "lab-control-plane", "kind", 9));
        state.containers[0].running = false;
    }
    bench.world.script("kind version", Say::Fail("starting kind: No such file or directory"));
    let settings = [("fs.inotify.max_user_instances", 128), ("fs.inotify.max_user_watches", 65536)];
    let machine = Machine { taken: vec![16443, 15000], disk: Some(3 << 30), ..Machine::default() };
    *machine.settings.borrow_mut() = settings.map(|(name, value)| (name.to_owned(), value)).into();
    let expected = "\
not fit for lab lab:
  Docker engine is 20.10.24+dfsg1, 23 or newer is needed: make setup
  Docker has 4.0 GiB of memory, this lab needs 7.7 GiB: give Docker more, or lab up --name lab --config small
  3.0 GiB of disk free at /var/lib/docker, 13.5 GiB are needed: docker system df   (shows what takes it); docker builder prune   (removes build caches)
  fs.inotify.max_user_instances is 128, 512 is needed: sudo sysctl -w fs.inotify.max_user_instances=512
  fs.inotify.max_user_watches is 65536, 524288 is needed: sudo sysctl -w fs.inotify.max_user_watches=524288
  port 16443 for the API is taken: lab up --name lab --api-port 16444
  port 15000 for the registry is taken: lab up --name lab --registry-port 15001
  subnet 172.29.0.0/24 overlaps Docker network office (172.29.0.0/16): lab up --name lab --subnet 172.31.0.0/24
  kind cannot be run (starting kind: No such file or directory): make setup
  lab-control-plane belongs to another kind cluster called lab: lab up --name lab-2";
    assert_eq!(problems(&bench, &machine).await, expected);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn versions_of_kind_are_told_apart() {
    for (version, level) in
        [("0.32.1", Level::Error), ("0.33.7", Level::Ok), ("0.34.0", Level::Warning), ("1.0.0", Level::Warning)]
    {
        let bench = Bench::small();
        bench.world.state().kind = version.to_owned();
        assert_eq!(finding(&bench, &Machine::default(), "kind").await.level, level, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_lab_holds_itself_counts_as_free() {
    let bench = Bench::full().made().await;
    let machine = Machine { taken: vec![16443, 15000], disk: Some(1 << 30), ..Machine::default() };
    assert_eq!(problems(&bench, &machine).await, "");
    assert_eq!(bench.world.changes(), Vec::<String>::new(), "a second up tries nothing");
    bench.world.state().files.retain(|(_, path), _| !path.ends_with("lab-finished"));
    assert_eq!(problems(&bench, &machine).await, "", "an unfinished cluster holds its ports as well");
}

#[tokio::test(start_paused = true)]
async fn ports_taken_while_the_lab_is_stopped_are_a_problem() {
    let bench = Bench::small().made().await;
    bench.world.state().stop_all();
    let machine = Machine { taken: vec![16443, 15000], ..Machine::default() };
    let found = problems(&bench, &machine).await;
    assert!(found.contains("port 16443") && found.contains("port 15000"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn another_lab_beside_this_one_is_no_problem() {
    let other = Bench::small().made().await;
    let mut bench = Bench::small();
    bench.lab.name = "second".to_owned();
    bench.lab.cluster.subnet = "172.30.0.0/24".parse().unwrap();
    *bench.world.state() = std::mem::take(&mut *other.world.state());
    assert_eq!(problems(&bench, &Machine::default()).await, "");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_measured_is_no_problem() {
    let machine = Machine { disk: None, ..Machine::default() };
    machine.settings.borrow_mut().clear();
    let bench = Bench::small();
    let levels = levels(&bench, &machine).await;
    for id in ["disk", "inotify-instances", "inotify-watches", "kernel-features", "memory-free"] {
        assert_eq!(levels[id], Level::NotChecked, "{id}");
    }
    assert_eq!(problems(&bench, &machine).await, "");
}

#[tokio::test(start_paused = true)]
async fn the_sums_are_those_of_the_parts() {
    let mut bench = Bench::full();
    let machine = Machine::default();
    let needed = async |bench: &Bench, id: &str| finding(bench, &machine, id).await.needed;
    assert_eq!(needed(&bench, "memory").await, "7.7 GiB");
    assert_eq!(needed(&bench, "disk").await, "13.5 GiB");
    bench.world.state().images.clear();
    assert_eq!(needed(&bench, "disk").await, "23.5 GiB");
    bench.lab.smoke.enabled = false;
    bench.lab.airflow.enabled = false;
    assert_eq!(needed(&bench, "memory").await, "2.8 GiB");
    bench.lab.object_store.enabled = false;
    assert_eq!(needed(&bench, "memory").await, "2.7 GiB");
    bench.lab.cluster.workers = 12;
    assert_eq!(needed(&bench, "inotify-instances").await, "1088");
    assert_eq!(needed(&Bench::small(), "inotify-instances").await, "256");
    assert_eq!(needed(&Bench::small(), "memory").await, "4.7 GiB");
    assert_eq!(needed(&Bench::small(), "disk").await, "5.0 GiB");
}

#[tokio::test(start_paused = true)]
async fn a_privileged_container_is_tried_where_nothing_shows_that_it_works() {
    let bench = Bench::small();
    assert_eq!(problems(&bench, &Machine::default()).await, "");
    assert_eq!(bench.world.changes(), ["try privileged lab-privileged-trial"]);
    let refused = Output { code: 32, stderr: "mount: permission denied".to_owned(), ..Output::default() };
    bench.world.script("try privileged", Say::Answer(refused));
    let found = problems(&bench, &Machine::default()).await;
    assert!(found.contains("Docker refuses a privileged container (mount ended with 32: mount: permission denied)"));
    bench.world.heal();
    bench.world.script("try privileged", Say::Fail("unable to apply caps"));
    assert!(problems(&bench, &Machine::default()).await.contains("unable to apply caps"));
    bench.world.heal();
    bench.world.script("try privileged", Say::Hang);
    assert!(problems(&bench, &Machine::default()).await.contains("did not end within 60 s"));
}

#[tokio::test(start_paused = true)]
async fn without_an_image_no_privileged_container_is_tried() {
    let bench = Bench::small();
    bench.world.state().images.clear();
    let found = finding(&bench, &Machine::default(), "privileged-containers").await;
    assert_eq!((found.level, found.title.contains("no image")), (Level::NotChecked, true), "{found:?}");
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_was_cut_off_is_cleared_away_first() {
    let bench = Bench::small();
    let mut left = container("lab", "lab-privileged-trial", "none", 9);
    left.labels = BTreeMap::from([("dev.lab.name".to_owned(), "lab".to_owned())]);
    bench.world.state().containers.push(left);
    findings(&bench, &Machine::default()).await;
    let expected = ["remove container lab-privileged-trial", "try privileged lab-privileged-trial"];
    assert_eq!(bench.world.changes(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_rootless_engine_is_a_warning() {
    let bench = Bench::small();
    bench.world.state().engine.security = vec!["name=seccomp,profile=builtin".to_owned(), "name=rootless".to_owned()];
    let found = finding(&bench, &Machine::default(), "privileged-containers").await;
    assert_eq!(found.level, Level::Warning, "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn names_of_others_are_left_alone() {
    let bench = Bench::small();
    {
        let mut state = bench.world.state();
        let mut foreign = container("", "lab-registry", "bridge", 9);
        foreign.labels.clear();
        state.containers.push(foreign);
        state.networks.push(network("lab", "172.29.0.0/24"));
        state.volumes.insert("lab-registry".to_owned(), "somebody".to_owned());
    }
    let found = problems(&bench, &Machine::default()).await;
    for what in ["container lab-registry exists", "Docker network lab exists", "Docker volume lab-registry exists"] {
        assert!(found.contains(&format!("{what} and is not of this lab")), "{found}");
    }
    assert!(!found.contains("overlaps"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_network_of_ours_with_another_subnet_is_in_the_way() {
    let mut bench = Bench::small().made().await;
    bench.lab.cluster.subnet = "172.30.0.0/24".parse().unwrap();
    let found = finding(&bench, &Machine::default(), "foreign-network").await;
    assert_eq!(found.level, Level::Error);
    assert_eq!(found.title, "Docker network lab has subnet 172.29.0.0/24, the configuration says 172.30.0.0/24");
}

/// The lines of a routing table, and what is made of them.
#[tokio::test(start_paused = true)]
async fn routes_within_the_subnet_block_and_wider_ones_warn() {
    let route = |destination: &str, mask: &str| format!("tun0\t{destination}\t0\t1\t0\t0\t0\t{mask}\n");
    for (line, level) in [
        (route("00001DAC", "00FFFFFF"), Level::Error),
        (route("80001DAC", "80FFFFFF"), Level::Error),
        (route("000010AC", "0000F0FF"), Level::Warning),
        (route("00000000", "00000000"), Level::Ok),
        (route("0000000A", "000000FF"), Level::Ok),
    ] {
        let mut machine = Machine::default();
        machine.files.insert("/proc/net/route".to_owned(), format!("Iface\n{line}"));
        let bench = Bench::small();
        assert_eq!(finding(&bench, &machine, "route").await.level, level, "{line}");
        // The lab's own bridge has such a route.
        bench.world.state().networks.push(network("lab", "172.29.0.0/24"));
        let own = line.contains("00001DAC");
        assert_eq!(finding(&bench, &machine, "route").await.level, if own { Level::Ok } else { level }, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn facts_of_this_kernel_say_nothing_of_another() {
    let changes: [fn(&mut Engine); 2] = [|engine| engine.local = false, |engine| engine.kernel = "5.0".to_owned()];
    for change in changes {
        let bench = Bench::small();
        change(&mut bench.world.state().engine);
        let machine = Machine::default();
        machine.settings.borrow_mut().values_mut().for_each(|value| *value = 1);
        let levels = levels(&bench, &machine).await;
        for id in ["inotify-instances", "inotify-watches", "kernel-features", "memory-free", "ip-forward", "route"] {
            assert_eq!(levels[id], Level::NotChecked, "{id}");
        }
    }
}

/// The kernel's configuration with one option less, and its lists of modules.
fn kernel(without: &str, modules: Option<&str>) -> Machine {
    let options = [
        "OVERLAY_FS",
        "VETH",
        "BRIDGE",
        "BRIDGE_NETFILTER",
        "NF_NAT",
        "NFT_COMPAT",
        "NETFILTER_XT_MATCH_COMMENT",
        "NETFILTER_XT_MATCH_CONNTRACK",
        "NETFILTER_XT_MARK",
        "NETFILTER_XT_MATCH_ADDRTYPE",
        "NETFILTER_XT_MATCH_STATISTIC",
        "NETFILTER_XT_MATCH_MULTIPORT",
        "IP_SET_HASH_IP",
        "IP_SET_HASH_NET",
        "IP_SET",
        "NETFILTER_XT_SET",
        "NETFILTER_XT_MATCH_PHYSDEV",
        "NETFILTER_XT_MATCH_LIMIT",
    ];
    let given = options.iter().filter(|option| **option != without);
    let config = given.map(|option| format!("CONFIG_{option}=m")).collect::<Vec<_>>().join("\n");
    let mut machine = Machine::default();
    machine.files.insert("/boot/config-6.1.0".to_owned(), config);
    if let Some(modules) = modules {
        machine.files.insert("/lib/modules/6.1.0/modules.dep".to_owned(), modules.to_owned());
        machine.files.insert("/lib/modules/6.1.0/modules.builtin".to_owned(), String::new());
    }
    machine
}

#[tokio::test(start_paused = true)]
async fn a_feature_that_the_kernel_lacks_is_named() {
    let bench = Bench::small();
    let found = finding(&bench, &kernel("NETFILTER_XT_SET", None), "kernel-features").await;
    assert_eq!((found.level, found.title.as_str()), (Level::Error, "kernel 6.1.0 lacks xt_set"));
    // A module that is not installed is as good as none; without the lists nobody can tell.
    let found = finding(&bench, &kernel("", None), "kernel-features").await;
    assert_eq!(found.level, Level::NotChecked, "{found:?}");
    let found = finding(&bench, &kernel("", Some("")), "kernel-features").await;
    assert!(found.level == Level::Error && found.title.contains("ip_set, ip_set_hash_ip"), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_module_that_lies_ready_is_as_good_as_one_that_is_loaded() {
    let bench = Bench::small();
    let mut machine = kernel("NETFILTER_XT_SET", Some("kernel/net/netfilter/xt_set.ko.zst: kernel/net/x.ko\n"));
    let found = finding(&bench, &machine, "kernel-features").await;
    assert!(found.title.contains("lacks") && !found.title.contains("xt_set"), "{found:?}");
    machine.files.insert("/proc/modules".to_owned(), "overlay 1 0 - Live\nbr_netfilter 2 0\n".to_owned());
    let found = finding(&bench, &machine, "kernel-features").await;
    assert!(!found.title.contains("overlay") && found.title.contains("veth"), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn another_network_plugin_needs_other_features() {
    let mut bench = Bench::small();
    bench.lab.cluster.cni = Cni::Kindnet;
    let mut machine = kernel("IP_SET", None);
    let config = machine.files.get_mut("/boot/config-6.1.0").unwrap();
    *config = config.replace("=m", "=y");
    let found = finding(&bench, &machine, "kernel-features").await;
    assert_eq!((found.level, found.title.as_str()), (Level::Warning, "kernel 6.1.0 lacks nft_queue"));
}

#[tokio::test(start_paused = true)]
async fn an_old_cgroup_is_a_matter_of_the_node_image() {
    let bench = Bench::small();
    bench.world.state().engine.cgroup = "1".to_owned();
    assert_eq!(finding(&bench, &Machine::default(), "cgroup").await.level, Level::Ok);
    bench.world.state().images.clear();
    let found = finding(&bench, &Machine::default(), "cgroup").await;
    assert_eq!((found.level, fix(&found)), (Level::Warning, "lab up --name lab --images build"));
    let bench = Bench { supply: Supply::upstream(ImageSource::Build), ..bench };
    assert_eq!(finding(&bench, &Machine::default(), "cgroup").await.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn proxies_are_never_quoted() {
    let bench = Bench::small();
    let mut machine = Machine::default();
    let with = |machine: &mut Machine, name, value: &str| drop(machine.variables.insert(name, value.to_owned()));
    with(&mut machine, "https_proxy", "http://user:hunter2@proxy:1x");
    let found = finding(&bench, &machine, "proxy").await;
    assert_eq!(found.level, Level::Warning);
    assert!(found.title.starts_with("https_proxy is no address") && !format!("{found:?}").contains("hunter2"));
    with(&mut machine, "https_proxy", "http://user:hunter2@proxy:3128");
    with(&mut machine, "no_proxy", "example.com");
    let found = finding(&bench, &machine, "proxy").await;
    let list = "example.com,localhost,127.0.0.1";
    assert_eq!((found.level, fix(&found)), (Level::Warning, &*format!("export NO_PROXY={list} no_proxy={list}")));
    with(&mut machine, "no_proxy", list);
    let found = finding(&bench, &machine, "proxy").await;
    assert!(found.level == Level::Ok && !format!("{found:?}").contains("hunter2"), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_in_time_is_a_finding() {
    let bench = Bench::small();
    bench.world.script("networks", Say::Hang);
    let found = finding(&bench, &Machine::default(), "docker-engine").await;
    assert_eq!((found.level, found.title.as_str()), (Level::Error, "the Docker engine refuses: no answer within 30 s"));
}

#[tokio::test(start_paused = true)]
async fn root_raises_what_is_too_low() {
    let bench = Bench::small();
    let machine = Machine::default();
    machine.settings.borrow_mut().values_mut().for_each(|value| *value = 128);
    let run = bench.run();
    let examination = Examination::of(&run, &machine);
    let said = examination.fix(&examination.findings().await.unwrap()).await;
    assert_eq!(said[0], "inotify-instances: fs.inotify.max_user_instances is 256 now, and after a restart");
    assert_eq!(machine.settings.borrow().values().copied().collect::<Vec<_>>(), [256, 262_144]);
    assert_eq!(finding(&bench, &machine, "inotify-watches").await.level, Level::Ok);
}

#[tokio::test(start_paused = true)]
async fn others_are_told_the_command() {
    let bench = Bench::small();
    let machine = Machine { root: false, ..Machine::default() };
    machine.settings.borrow_mut().values_mut().for_each(|value| *value = 128);
    let run = bench.run();
    let examination = Examination::of(&run, &machine);
    let said = examination.fix(&examination.findings().await.unwrap()).await;
    let by_hand = "not done (only root may); by hand: sudo sysctl -w fs.inotify.max_user_instances=256";
    assert_eq!(said[0], format!("inotify-instances: {by_hand}"));
    assert!(machine.settings.borrow().values().all(|value| *value == 128));
}

#[tokio::test(start_paused = true)]
async fn only_an_unfinished_cluster_of_ours_is_removed() {
    let bench = Bench::small().made().await;
    bench.world.state().containers.push(container("lab", "theirs-control-plane", "kind", 9));
    let run = bench.run();
    let machine = Machine::default();
    let examination = Examination::of(&run, &machine);
    assert_eq!(examination.fix(&examination.findings().await.unwrap()).await, Vec::<String>::new());

    bench.world.state().files.retain(|(_, path), _| !path.ends_with("lab-finished"));
    let found = examination.findings().await.unwrap();
    let said = examination.fix(&found).await;
    assert_eq!(said, ["unfinished-cluster: 2 containers of an unfinished cluster removed"]);
    assert_eq!(bench.world.state().container_names(), ["lab-registry", "theirs-control-plane"]);

    // Finished in the meantime: what was found before counts no more.
    let bench = Bench::small().made().await;
    let run = bench.run();
    let said = Examination::of(&run, &machine).fix(&found).await;
    assert_eq!(said, ["unfinished-cluster: it is finished by now, and stays"]);
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn injected_values_come_from_a_list_or_a_file_and_nothing_else() {
    let bench = Bench::small();
    let mut machine = Machine::default();
    machine.files.insert("values.json".to_owned(), r#"{"memory": "1GiB", "cpus": 1}"#.to_owned());
    let inject =
        |machine: &mut Machine, text: &str| drop(machine.variables.insert("LAB_DOCTOR_VALUES", text.to_owned()));
    for good in ["memory=1GiB, cpus=1", "values.json"] {
        inject(&mut machine, good);
        let levels = levels(&bench, &machine).await;
        assert_eq!((levels["memory"], levels["cpus"]), (Level::Error, Level::Warning), "{good}");
    }
    for bad in
        ["memorie=1GiB", "memory=much", "kernel.ip_sets=missing", "kernel.ip_set=no", "none.json", "memory,cpus=1"]
    {
        inject(&mut machine, bad);
        let error = check_host(&bench.run(), &machine).await.unwrap_err();
        assert_eq!(fault::kind(&error).exit_code(), 2, "{bad}: {error:#}");
        assert!(format!("{error:#}").contains(bad.split(['=', ',']).next().unwrap()), "{bad}: {error:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_raised_for_injected_values() {
    let bench = Bench::small();
    let mut machine = Machine::default();
    machine.variables.insert("LAB_DOCTOR_VALUES", "inotify-instances=1".to_owned());
    let run = bench.run();
    let examination = Examination::of(&run, &machine);
    let said = examination.fix(&examination.findings().await.unwrap()).await;
    assert!(said[0].contains("not done (values are injected)"), "{said:?}");
    assert_eq!(machine.settings.borrow()["fs.inotify.max_user_instances"], 1024);
}

/// First cells of the table below a heading of the documentation.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md");
    let text = fs_err::read_to_string(page).unwrap();
    let section = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}")).1;
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn every_check_and_every_value_is_documented() {
    let found = findings(&Bench::small(), &Machine::default()).await;
    let ids: BTreeSet<String> = found.iter().map(|finding| finding.id.to_owned()).collect();
    assert_eq!(ids.len(), found.len(), "two findings have the same id");
    assert_eq!(documented("Checks"), ids);
    let mut keys: BTreeSet<String> = crate::run::doctor::KEYS.iter().map(|key| (*key).to_owned()).collect();
    keys.insert("kernel.FEATURE".to_owned());
    assert_eq!(documented("Values for tests"), keys);
}
