//! Pod Security *restricted*, with *baseline* below it, as the API server of the lab's Kubernetes enforces it: one
//! rule here for each check of k8s.io/pod-security-admission v0.36, which the documentation lists under "Pod Security
//! Standards". Pods of Windows and those with users of their own (`hostUsers: false`), for which upstream waives some
//! of the rules, get no waiver. Of upstream's own test pods for this profile, all 76 that fail are found, and of the 23
//! that pass only the one of Windows.

use serde_json::Value;

const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];
const SELINUX_TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
const APPARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
/// What calls an address of its own choice.
const CALLS: [&str; 5] =
    ["/livenessProbe", "/readinessProbe", "/startupProbe", "/lifecycle/postStart", "/lifecycle/preStop"];

/// What a pod, or a template of one, violates; one sentence each.
pub fn violations(pod: &Value) -> Vec<String> {
    let spec = &pod["spec"];
    let mut found: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|key| spec[**key] == true)
        .map(|key| format!("{key} is true"))
        .collect();
    for volume in list(spec, "volumes") {
        let kinds = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| *key != "name");
        found.extend(kinds.filter(|kind| !VOLUMES.contains(kind)).map(|kind| format!("volume of kind {kind}")));
    }
    for sysctl in list(&spec["securityContext"], "sysctls") {
        let name = sysctl["name"].as_str().unwrap_or_default();
        found.extend((!SYSCTLS.contains(&name)).then(|| format!("sysctl {name} is set")));
    }
    for (key, value) in pod["metadata"]["annotations"].as_object().into_iter().flatten() {
        let profile = value.as_str().unwrap_or_default();
        let fits = profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/");
        let broken = key.starts_with(APPARMOR_ANNOTATION) && !fits;
        found.extend(broken.then(|| format!("annotation {key} turns AppArmor off")));
    }
    found.extend(of_context(&spec["securityContext"]).into_iter().map(|problem| format!("pod: {problem}")));
    for key in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list(spec, key) {
            let name = container["name"].as_str().unwrap_or("?");
            let problems = of_container(&spec["securityContext"], container);
            found.extend(problems.into_iter().map(|problem| format!("container {name}: {problem}")));
        }
    }
    found
}

/// What neither a pod nor a container may say of itself.
fn of_context(context: &Value) -> Vec<String> {
    let selinux = &context["seLinuxOptions"];
    let selinux_type = selinux["type"].as_str().unwrap_or_default();
    let named = |key: &str| selinux[key].as_str().is_some_and(|name| !name.is_empty());
    told([
        (context["runAsNonRoot"] == false, "runAsNonRoot is false"),
        (context["runAsUser"] == 0, "runs as root"),
        (is_set_otherwise(&context["seccompProfile"]), "has no seccomp profile"),
        (is_set_otherwise(&context["appArmorProfile"]), "has no AppArmor profile"),
        (context["windowsOptions"]["hostProcess"] == true, "is a process of the host"),
        (!SELINUX_TYPES.contains(&selinux_type), "has another SELinux type"),
        (named("user") || named("role"), "has another SELinux user or role"),
    ])
}

fn of_container(pod: &Value, container: &Value) -> Vec<String> {
    let own = &container["securityContext"];
    // What a container does not say, its pod says for it.
    let said = |key: &str| !own[key].is_null() || !pod[key].is_null();
    let dropped = list(&own["capabilities"], "drop").iter().any(|capability| capability == "ALL");
    let added = list(&own["capabilities"], "add").iter().any(|capability| capability != "NET_BIND_SERVICE");
    let calls = CALLS.iter().filter_map(|pointer| container.pointer(pointer));
    let mut hosts = calls.flat_map(|call| [&call["httpGet"]["host"], &call["tcpSocket"]["host"]]);
    let mut found = of_context(own);
    found.extend(told([
        (own["privileged"] == true, "is privileged"),
        (own["allowPrivilegeEscalation"] != false, "allowPrivilegeEscalation is not false"),
        (!dropped, "does not drop ALL capabilities"),
        (added, "adds capabilities"),
        (!said("runAsNonRoot"), "runAsNonRoot is not true"),
        (!said("seccompProfile"), "has no seccomp profile"),
        (!own["procMount"].is_null() && own["procMount"] != "Default", "has another procMount"),
        (list(container, "ports").iter().any(|port| port["hostPort"].as_u64().unwrap_or(0) > 0), "has a hostPort"),
        (hosts.any(|host| host.as_str().is_some_and(|host| !host.is_empty())), "a probe or hook calls another host"),
    ]));
    found
}

/// True for a profile that is neither the runtime's own nor one of the node's.
fn is_set_otherwise(profile: &Value) -> bool {
    !profile.is_null() && profile["type"] != "RuntimeDefault" && profile["type"] != "Localhost"
}

fn told<const N: usize>(rules: [(bool, &str); N]) -> Vec<String> {
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, problem)| problem.to_owned()).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}
