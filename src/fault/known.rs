//! Failures that others have met before: how to tell them by their words, what causes them, what to do.
//!
//! docs/failures.md lists them for people; a test holds the page against this table.

/// One known failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// Stable: people search for it, scripts compare it.
    pub id: &'static str,
    /// Any of these in one line tells it; `…` stands for what varies. Upper and lower case are the same.
    pub patterns: &'static [&'static str],
    /// The cause in one sentence.
    pub cause: &'static str,
    /// The next command. `<lab>`, `<namespace>`, `<pod>` stand for names.
    pub next: &'static str,
}

/// The first known failure that a text shows, in the order of the table: causes before what follows from them.
pub fn find(text: &str) -> Option<&'static Known> {
    let lines = lines(text);
    ALL.iter().find(|known| known.is_in(&lines))
}

/// All known failures that a text shows.
pub fn all_in(text: &str) -> Vec<&'static Known> {
    let lines = lines(text);
    ALL.iter().filter(|known| known.is_in(&lines)).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_lowercase).collect()
}

impl Known {
    fn is_in(&self, lines: &[String]) -> bool {
        lines.iter().any(|line| self.patterns.iter().any(|pattern| matches(pattern, line)))
    }
}

/// True where the parts of a pattern stand in a line, one after the other.
fn matches(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    pattern.split('…').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

const fn known(id: &'static str, patterns: &'static [&'static str], cause: &'static str, next: &'static str) -> Known {
    Known { id, patterns, cause, next }
}

/// The table. The first that fits wins: what is special stands before what is general.
pub const ALL: &[Known] = &[
    // The engine and this machine.
    known(
        "docker-permission",
        &["permission denied while trying to connect to the docker", "docker.sock: connect: permission denied"],
        "You may not use the Docker engine's socket.",
        "sudo usermod -aG docker $USER   (then log in again)",
    ),
    known(
        "docker-not-running",
        &["cannot connect to the docker daemon", "no docker engine answers", "docker.sock: connect: no such file"],
        "No Docker engine runs, or DOCKER_HOST leads elsewhere.",
        "make setup   (installs or starts it)",
    ),
    known(
        "docker-capabilities",
        &["unable to apply caps"],
        "The engine is older than 23 and asks for capabilities that this machine does not give.",
        "make setup   (brings a newer engine)",
    ),
    known(
        "cgroup-v1",
        &["configured to not run on a host using cgroup v1"],
        "The kubelet was not told that this machine has cgroup v1.",
        "lab down, then lab up   (makes the nodes anew, with failCgroupV1: false)",
    ),
    known(
        "inotify-limit",
        &["too many open files", "inotify…no space left on device", "failed to create fsnotify watcher"],
        "The kernel's inotify limits, or the limit of open files, are too low for so many nodes.",
        "make setup   (raises the inotify limits)",
    ),
    known(
        "disk-full",
        &["no space left on device", "enospc", "disk quota exceeded"],
        "A disk or volume is full.",
        "docker system df   (shows what Docker holds; docker builder prune frees build caches)",
    ),
    known(
        "storage-limit",
        &[
            "usage of emptydir volume…exceeds the limit",
            "low on resource: ephemeral-storage",
            "ephemeral local storage usage exceeds",
        ],
        "A pod wrote more than its volume or its node allows, and was evicted.",
        "a larger sizeLimit or ephemeral-storage limit in the job; large data belong into the object store",
    ),
    known(
        "port-allocated",
        &["port is already allocated"],
        "Another container publishes this port.",
        "docker ps --format '{{.Names}} {{.Ports}}'   (shows whose it is); or another --api-port or --registry-port",
    ),
    known(
        "address-in-use",
        &["address already in use", "ports are not available"],
        "Another program of this machine listens on this port.",
        "another --api-port or --registry-port",
    ),
    known(
        "subnet-overlap",
        &["pool overlaps with other one on this address space", "non-overlapping ipv4 address pool"],
        "Another Docker network has this subnet, or part of it.",
        "docker network ls   (shows them); or another --subnet",
    ),
    // kind and kubeadm.
    known(
        "cluster-exists",
        &["node(s) already exist for a cluster with the name"],
        "Somebody else's kind cluster has this name.",
        "kind get clusters   (shows them); or another --name",
    ),
    known(
        "node-did-not-boot",
        &["could not find a log line that matches"],
        "A node's systemd did not come up: mostly inotify limits, cgroups, or too little memory.",
        "docker logs <lab>-control-plane   (says where it stopped); make setup   (raises the limits)",
    ),
    known(
        "etcd-slow",
        &["etcdserver: leader changed", "etcdserver: request timed out", "etcdserver: too many requests"],
        "The disk or the processor is too slow for etcd at this moment.",
        "stop what else works on this machine, or --config small",
    ),
    known(
        "certificate-time",
        &["certificate has expired or is not yet valid"],
        "A clock was set, or a lab is older than its certificates.",
        "timedatectl   (shows the clock); lab down, then lab up   (makes new certificates)",
    ),
    known(
        "node-did-not-join",
        &[
            "timeout waiting for etcd cluster to be available",
            "failed to join node with kubeadm",
            "failed to init node with kubeadm",
            "kubelet is not running",
            "kubelet isn't running or healthy",
            "error execution phase",
        ],
        "kubeadm gave up: the node was too slow, or its kubelet does not run.",
        "docker exec <lab>-control-plane journalctl --unit kubelet --lines 50   (says why)",
    ),
    // Admission.
    known(
        "webhook-certificate",
        &["failed calling webhook…x509:"],
        "The API server does not trust the webhook's certificate: it was made anew, and the configuration has the old CA.",
        "docker exec <lab>-control-plane kubectl -n spark-operator rollout restart deployment webhook",
    ),
    known(
        "webhook-down",
        &["failed calling webhook", "nobody answers webhook"],
        "An admission webhook does not answer, and nothing that it admits can be made.",
        "docker exec <lab>-control-plane kubectl -n spark-operator get pods   (is the webhook there?)",
    ),
    known(
        "quota-exceeded",
        &["exceeded quota:"],
        "The namespace's quota allows no more.",
        "docker exec <lab>-control-plane kubectl -n <namespace> describe resourcequota   (shows limit and use)",
    ),
    known(
        "pod-security",
        &["violates podsecurity"],
        "The pod asks for more than Pod Security allows in this namespace.",
        "mend its securityContext: sample-jobs/pi/application.yaml shows one that is admitted",
    ),
    known(
        "service-account-missing",
        &["error looking up service account", "serviceaccount…not found"],
        "The pod's service account does not exist in its namespace.",
        "docker exec <lab>-control-plane kubectl -n <namespace> get serviceaccounts   (Spark's is called spark)",
    ),
    known(
        "forbidden",
        &["forbidden: user…cannot", "doesn't have access. service account may have been revoked"],
        "This account may not do that.",
        "docker exec <lab>-control-plane kubectl auth can-i --list --as system:serviceaccount:<namespace>:<account>",
    ),
    // Images.
    known(
        "image-rate-limit",
        &["toomanyrequests", "429 too many requests"],
        "The registry has answered too many pulls from this address.",
        "docker login   (raises the limit); or lab up --images build",
    ),
    known(
        "image-unauthorized",
        &["pull access denied", "401 unauthorized", "no basic auth credentials", "insufficient_scope"],
        "The registry wants a login, or there is no such image and it does not say so.",
        "docker login   (to the registry that the image names)",
    ),
    known(
        "image-out-of-reach",
        &[
            "failed to pull and unpack image…no such host",
            "failed to pull and unpack image…i/o timeout",
            "failed to pull and unpack image…connection refused",
            "failed to pull and unpack image…network is unreachable",
            "failed to pull and unpack image…server misbehaving",
        ],
        "The image is not in the lab's registry, and the one that it names is out of reach.",
        "lab up   (pushes the lab's own images again); your own: docker push 127.0.0.1:<registry port>/<path>:<tag>",
    ),
    known(
        "image-missing",
        &[
            "failed to resolve reference…not found",
            "manifest unknown",
            "manifest for…not found",
            "is not in the docker engine",
        ],
        "No registry has an image of this name and tag.",
        "mend the image's name; docker images   (shows what is here)",
    ),
    // The network.
    known(
        "tls-unknown-ca",
        &[
            "certificate signed by unknown authority",
            "unable to get local issuer certificate",
            "pkix path building failed",
        ],
        "The other side's certificate is of a CA that is not trusted here: mostly a proxy that looks inside.",
        "add its CA to /etc/ssl/certs (update-ca-certificates), then restart Docker",
    ),
    known(
        "proxy",
        &["proxyconnect tcp", "tunnel connection failed", "received http code…from proxy"],
        "The proxy does not answer, or refuses.",
        "printenv HTTPS_PROXY   (is it right?); docker info --format '{{.HTTPSProxy}}'   (is the engine's?)",
    ),
    known(
        "cluster-dns",
        &[
            "nobody answers cluster dns",
            "unknownhostexception",
            ".svc…temporary failure in name resolution",
            "lookup…svc…no such host",
            ".svc…name or service not known",
        ],
        "A name inside the cluster was not found: cluster DNS is down, or there is no such Service.",
        "docker exec <lab>-control-plane kubectl -n kube-system get pods -l k8s-app=kube-dns",
    ),
    known(
        "name-lookup",
        &[
            "no such host",
            "temporary failure in name resolution",
            "temporary failure resolving",
            "could not resolve host",
            "name or service not known",
        ],
        "A name on the internet was not found: no network, no DNS, or a proxy is needed.",
        "getent hosts docker.io   (does this machine find it?)",
    ),
    known(
        "tls-timeout",
        &["tls handshake timeout"],
        "The connection is too slow, or something on the way swallows it.",
        "once more; behind a proxy set HTTPS_PROXY, also for the engine",
    ),
    known(
        "network-timeout",
        &["i/o timeout", "request canceled while waiting for connection", "client.timeout exceeded"],
        "Nothing answered in time: a firewall, or no network.",
        "once more; behind a proxy set HTTPS_PROXY, also for the engine; or lab up --images build",
    ),
    // Building images.
    known(
        "apt-hash",
        &["hash sum mismatch"],
        "A mirror of Debian packages is in the middle of an update, or a proxy keeps old files.",
        "once more in some minutes: lab images build",
    ),
    known(
        "apt-gone",
        &["failed to fetch…404"],
        "The package list is older than the mirror: that version is gone.",
        "docker builder prune   (forgets the old list); then lab images build",
    ),
    known(
        "pip-hash",
        &["do not match the hashes from the requirements file"],
        "A Python package is not the one whose checksum was written down: a broken download, or a mirror that differs.",
        "check PIP_INDEX_URL; then lab images build",
    ),
    known(
        "go-checksum",
        &["verifying…checksum mismatch"],
        "A Go module is not the one whose checksum was written down: a proxy that differs, or a broken cache.",
        "check GOPROXY; docker builder prune   (forgets the cache)",
    ),
    known(
        "build-failed",
        &["failed to solve", "did not complete successfully: exit code"],
        "An instruction of an image's recipe failed; the lines before it say why.",
        "lab images build   (goes on from the last good instruction)",
    ),
    // Nodes and volumes.
    known(
        "network-plugin",
        &["cni plugin not initialized", "network plugin is not ready", "no networks found in /etc/cni/net.d"],
        "The pod network does not run on this node.",
        "docker exec <lab>-control-plane kubectl -n kube-system get pods -o wide   (look at kube-router)",
    ),
    known(
        "node-not-ready",
        &["kubelet stopped posting node status", "nodestatusunknown", "node is not ready"],
        "A node's kubelet reports nothing any more: its container is stopped, or its kubelet is.",
        "lab up   (starts stopped nodes); docker exec <node> systemctl restart kubelet",
    ),
    known(
        "volume-unbound",
        &[
            "unbound immediate persistentvolumeclaims",
            "storageclass.storage.k8s.io…not found",
            "no storage class is set",
            "there is no storageclass",
            "persistentvolumeclaim…not found",
        ],
        "A volume claim names a StorageClass that does not exist, or asks for what no volume offers.",
        "docker exec <lab>-control-plane kubectl get storageclasses   (the lab's is called standard)",
    ),
    known(
        "node-resources",
        &["insufficient cpu", "insufficient memory", "insufficient ephemeral-storage"],
        "No node has so much processor or memory left.",
        "smaller requests in the job or in smoke.executor; or more workers",
    ),
    // Spark and the object store.
    known(
        "s3-unknown-key",
        &["invalidaccesskeyid", "access key id you provided does not exist"],
        "The object store does not know the access key.",
        "lab up   (makes the user of the Secret object-store again)",
    ),
    known(
        "s3-wrong-secret",
        &["signaturedoesnotmatch", "request signature we calculated does not match"],
        "The secret key is not the one that belongs to the access key.",
        "docker exec <lab>-control-plane kubectl -n spark-jobs delete secret object-store; then lab up",
    ),
    known(
        "s3-no-bucket",
        &["nosuchbucket", "specified bucket does not exist"],
        "There is no such bucket.",
        "lab up   (makes the lab's own bucket); jobs find its name in {{object_store.bucket}}",
    ),
    known(
        "s3-access-denied",
        &[
            "accessdeniedexception: s3a:",
            "<code>accessdenied</code>",
            "s3exception…status code: 403",
            "amazons3exception: forbidden",
        ],
        "The object store refuses: a wrong key, or a bucket that this user may not touch.",
        "lab up   (gives the user its rights again); after a changed key delete the Secret spark-jobs/object-store before it",
    ),
    known(
        "s3a-missing",
        &["s3afilesystem not found"],
        "The image has no S3 client: it is not the lab's Spark image.",
        "image: \"{{image}}\" in application.yaml",
    ),
    known(
        "out-of-memory",
        &["oomkilled", "memory cgroup out of memory"],
        "A container used more memory than its limit.",
        "more memory for it: driver.memory or executor.memory, or memoryOverhead, in application.yaml",
    ),
    known(
        "java-heap",
        &["java.lang.outofmemoryerror"],
        "The Java heap is full.",
        "more driver.memory or executor.memory in application.yaml, or more partitions",
    ),
    known(
        "executor-lost",
        &["executorlostfailure", "lost executor", "max number of executor failures", "driver…lost it"],
        "An executor ended before its work was done: killed, out of memory, or its node went.",
        "docker exec <lab>-control-plane kubectl -n spark-jobs get pods -l spark-role=executor   (how they ended)",
    ),
    known(
        "no-executors",
        &["initial job has not accepted any resources"],
        "The driver waits for executors that get no place, or cannot start.",
        "docker exec <lab>-control-plane kubectl -n spark-jobs describe pods -l spark-role=executor",
    ),
    known(
        "killed",
        &["exit code 137", "exitcode: 137"],
        "A container was killed from outside: mostly by the kernel, because it used more memory than its limit.",
        "more memory for it: driver.memory or executor.memory, or memoryOverhead, in application.yaml",
    ),
    // What pods say of themselves: mostly a symptom, so these come last.
    known(
        "exec-format",
        &["exec format error"],
        "The program is for another processor, or a script without its first line.",
        "an image for x86-64: docker build --platform linux/amd64",
    ),
    known(
        "config-missing",
        &["createcontainerconfigerror", "secret…not found", "configmap…not found", "couldn't find key"],
        "The pod names a Secret or ConfigMap, or a key in it, that does not exist.",
        "docker exec <lab>-control-plane kubectl -n <namespace> get secrets,configmaps",
    ),
    known(
        "probe-failing",
        &["readiness probe failed", "liveness probe failed", "startup probe failed"],
        "The program runs, but does not answer its probe.",
        "docker exec <lab>-control-plane kubectl -n <namespace> logs <pod>",
    ),
    known(
        "image-pull",
        &["errimagepull", "imagepullbackoff"],
        "A node cannot pull the image.",
        "docker exec <lab>-control-plane kubectl -n <namespace> describe pod <pod>   (says why)",
    ),
    known(
        "crash-loop",
        &["crashloopbackoff", "back-off restarting failed container", "restarted…times, ended before with"],
        "The program ends as soon as it has started, again and again.",
        "docker exec <lab>-control-plane kubectl -n <namespace> logs --previous <pod>",
    ),
    known(
        "api-unreachable",
        &["tcp connect error", "the connection to the server…was refused"],
        "The Kubernetes API does not answer: its node is stopped, or still starting.",
        "lab status   (which nodes are there); lab up   (starts stopped ones)",
    ),
];

#[cfg(test)]
mod tests;
