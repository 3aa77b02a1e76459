//! Real messages, as people met them: each is told by its own entry, and by no other first.

use std::collections::BTreeSet;

use super::{ALL, all_in, find, matches};

/// Id and message. Hosts of package registries are replaced.
const MESSAGES: &[(&str, &str)] = &[
    (
        "docker-permission",
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get \"http://%2Fvar%2Frun%2Fdocker.sock/v1.24/containers/json\": dial unix /var/run/docker.sock: connect: permission denied",
    ),
    (
        "docker-not-running",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    ),
    (
        "docker-capabilities",
        "OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: unable to apply caps: operation not permitted: unknown",
    ),
    (
        "cgroup-v1",
        "E1112 12:19:21.474821    4756 run.go:72] \"command failed\" err=\"failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release, path: &TypeMeta{Kind:,APIVersion:,}\"",
    ),
    ("inotify-limit", "Failed to allocate directory watch: Too many open files"),
    (
        "inotify-limit",
        "Failed to watch directory \"/sys/fs/cgroup/pids/kubepods\": inotify_add_watch /sys/fs/cgroup/pids/kubepods: no space left on device",
    ),
    (
        "disk-full",
        "failed to register layer: Error processing tar file(exit status 1): write /usr/lib/libLLVM-14.so.1: no space left on device",
    ),
    ("disk-full", "java.io.IOException: No space left on device\n\tat java.base/java.io.FileOutputStream.writeBytes"),
    ("storage-limit", "Evicted: Usage of EmptyDir volume \"scratch\" exceeds the limit \"4Mi\"."),
    (
        "storage-limit",
        "The node was low on resource: ephemeral-storage. Threshold quantity: 10703914Ki, available: 10558264Ki.",
    ),
    (
        "port-allocated",
        "docker: Error response from daemon: driver failed programming external connectivity on endpoint lab-control-plane: Bind for 127.0.0.1:16443 failed: port is already allocated.",
    ),
    (
        "address-in-use",
        "Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint lab-registry: failed to bind host port for 127.0.0.1:15000:172.29.0.2:5000/tcp: address already in use",
    ),
    ("subnet-overlap", "invalid pool request: Pool overlaps with other one on this address space"),
    (
        "subnet-overlap",
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
    ),
    ("cluster-exists", "ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"kind\""),
    (
        "node-did-not-boot",
        "ERROR: failed to create cluster: could not find a log line that matches \"Reached target .*Multi-User System.*|detected cgroup v1\"",
    ),
    ("etcd-slow", "error execution phase control-plane-join/etcd: etcdserver: leader changed"),
    ("etcd-slow", "Error from server: etcdserver: request timed out"),
    (
        "certificate-time",
        "Get \"https://10.6.0.52:6443/version\": x509: certificate has expired or is not yet valid: current time 2026-11-21T08:00:00Z is before 2026-11-21T09:00:00Z",
    ),
    (
        "node-did-not-join",
        "error execution phase control-plane-join/etcd: error creating local etcd static pod manifest file: timeout waiting for etcd cluster to be available",
    ),
    ("node-did-not-join", "[kubelet-check] It seems like the kubelet isn't running or healthy."),
    (
        "node-did-not-join",
        "ERROR: failed to create cluster: failed to init node with kubeadm: command \"docker exec --privileged lab-control-plane kubeadm init --config=/kind/kubeadm.conf --v=6\" failed with error: exit status 1",
    ),
    (
        "webhook-certificate",
        "Internal error occurred: failed calling webhook \"mutate--v1-pod.sparkoperator.k8s.io\": failed to call webhook: Post \"https://spark-operator-webhook-svc.spark-operator.svc:9443/mutate--v1-pod?timeout=10s\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
    ),
    (
        "webhook-down",
        "failed calling webhook \"webhook.sparkoperator.k8s.io\": Post https://sparkoperator-webhook.spark.svc:443/webhook?timeout=30s: dial tcp 10.104.113.141:443: connect: connection refused",
    ),
    (
        "quota-exceeded",
        "Error creating: pods \"web-5d4b8c6f7-x2x7k\" is forbidden: exceeded quota: tight, requested: requests.memory=64Mi, used: requests.memory=0, limited: requests.memory=16Mi",
    ),
    (
        "pod-security",
        "Error creating: pods \"nodejs-app-8665bd77fb-2dd4n\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"runtime\" must set securityContext.allowPrivilegeEscalation=false)",
    ),
    (
        "service-account-missing",
        "create Pod mytest-mysql-0 in StatefulSet mytest-mysql failed error: pods \"mytest-mysql-0\" is forbidden: error looking up service account default/kb: serviceaccount \"kb\" not found",
    ),
    (
        "forbidden",
        "pods is forbidden: User \"system:serviceaccount:spark-jobs:default\" cannot list resource \"pods\" in API group \"\" in the namespace \"spark-jobs\"",
    ),
    (
        "forbidden",
        "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://kubernetes.default.svc/api/v1/namespaces/spark/pods. Message: Forbidden!Configured service account doesn't have access. Service account may have been revoked.",
    ),
    (
        "image-rate-limit",
        "Failed to pull image \"jackmmzhou/self-signed:v1\": rpc error: code = Unknown desc = failed to pull and unpack image \"docker.io/jackmmzhou/self-signed:v1\": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/jackmmzhou/self-signed/manifests/sha256:c1f6: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
    ),
    (
        "image-unauthorized",
        "Error response from daemon: pull access denied for orders/etl, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ),
    (
        "image-unauthorized",
        "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 401 Unauthorized",
    ),
    (
        "image-out-of-reach",
        "ErrImagePull failed to pull and unpack image \"docker.io/nobody/nothing:1\": failed to resolve reference \"docker.io/nobody/nothing:1\": failed to do request: Head \"https://registry-1.docker.io/v2/nobody/nothing/manifests/1\": dial tcp: lookup registry-1.docker.io on 172.30.6.1:53: no such host",
    ),
    (
        "image-missing",
        "Failed to pull image \"quay.io/prometheus/nothing:1\": rpc error: code = NotFound desc = failed to pull and unpack image \"quay.io/prometheus/nothing:1\": failed to resolve reference \"quay.io/prometheus/nothing:1\": quay.io/prometheus/nothing:1: not found",
    ),
    (
        "image-missing",
        "Error response from daemon: manifest for debian:nothing not found: manifest unknown: manifest unknown",
    ),
    (
        "tls-unknown-ca",
        "error pulling image configuration: Get https://production.cloudflare.docker.com/registry-v2/docker: x509: certificate signed by unknown authority",
    ),
    (
        "proxy",
        "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused",
    ),
    (
        "cluster-dns",
        "Caused by: java.net.UnknownHostException: minio.object-store.svc: Temporary failure in name resolution",
    ),
    ("cluster-dns", "curl: (6) minio.object-store.svc: Name or service not known"),
    (
        "name-lookup",
        "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: no such host",
    ),
    (
        "name-lookup",
        "W: Failed to fetch http://mirror.example/debian/dists/trixie/InRelease  Temporary failure resolving 'mirror.example'",
    ),
    (
        "tls-timeout",
        "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout",
    ),
    (
        "network-timeout",
        "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp 34.205.13.154:443: i/o timeout",
    ),
    (
        "network-timeout",
        "Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
    ),
    (
        "apt-hash",
        "E: Failed to fetch http://mirror.example/debian/pool/main/l/lvm2/dmsetup_1.02.175-2.1_arm64.deb Hash Sum mismatch",
    ),
    (
        "apt-gone",
        "E: Failed to fetch http://mirror.example/debian/pool/main/c/curl/curl_7.88.1-10_amd64.deb  404  Not Found [IP: 151.101.2.132 80]",
    ),
    (
        "pip-hash",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions, please update the hashes.",
    ),
    (
        "go-checksum",
        "go: verifying github.com/docker/docker@v1.13.1: checksum mismatch\n\tdownloaded: h1:IkZjBSIc8hBjLpqeAbeE5mca5mNgeatLHBy3GO78BWo=",
    ),
    (
        "build-failed",
        "ERROR: failed to build: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 2",
    ),
    (
        "network-plugin",
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
    ),
    ("node-not-ready", "lab-worker: NodeStatusUnknown Kubelet stopped posting node status."),
    (
        "volume-unbound",
        "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/4 nodes are available",
    ),
    ("volume-unbound", "storageclass.storage.k8s.io \"fast\" not found"),
    (
        "node-resources",
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available",
    ),
    (
        "s3-unknown-key",
        "<Error><Code>InvalidAccessKeyId</Code><Message>The Access Key Id you provided does not exist in our records.</Message><BucketName>mybucketname</BucketName></Error>",
    ),
    (
        "s3-wrong-secret",
        "S3Exception: The request signature we calculated does not match the signature you provided. Check your key and signing method. (Service: S3, Status Code: 403, Request ID: 18A9)",
    ),
    ("s3-no-bucket", "mc: <ERROR> Unable to list folder. The specified bucket does not exist. NoSuchBucket"),
    (
        "s3-access-denied",
        "java.nio.file.AccessDeniedException: s3a://data/bacon_tiny.json: getFileStatus on s3a://data/bacon_tiny.json: com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden (Service: Amazon S3; Status Code: 403; Error Code: 403 Forbidden; Request ID: null)",
    ),
    (
        "s3a-missing",
        "java.lang.RuntimeException: java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found",
    ),
    ("out-of-memory", "CrashLoopBackOff , ended before with OOMKilled"),
    (
        "java-heap",
        "WARN TaskSetManager: Lost task 1.1 in stage 8.0 (TID 14, 192.168.53.180, executor 2): java.lang.OutOfMemoryError: Java heap space",
    ),
    (
        "executor-lost",
        "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).",
    ),
    (
        "no-executors",
        "WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have sufficient resources",
    ),
    ("killed", "Error, exit code 137"),
    ("killed", "FAILED driver container failed with ExitCode: 137, Reason: Error"),
    ("exec-format", "exec /usr/bin/spark-operator: exec format error"),
    ("config-missing", "CreateContainerConfigError secret \"object-store\" not found"),
    (
        "probe-failing",
        "Readiness probe failed: Get \"http://10.244.1.7:9000/minio/health/ready\": dial tcp 10.244.1.7:9000: connect: connection refused",
    ),
    ("image-pull", "ImagePullBackOff Back-off pulling image \"registry.example/etl:3\""),
    ("crash-loop", "CrashLoopBackOff back-off 10s restarting failed container=web pod=web-0_shop(3f1c)"),
    ("crash-loop", "Pod shop/web-0: restarted 4 times, ended before with Error, exit code 3"),
    ("killed", "restarted 4 times, ended before with Error, exit code 137"),
    (
        "api-unreachable",
        "listing Node: ServiceError: client error (Connect): tcp connect error: Connection refused (os error 111)",
    ),
];

#[test]
fn every_message_is_told_by_its_own_entry_first() {
    for (id, message) in MESSAGES {
        assert_eq!(find(message).map(|known| known.id), Some(*id), "{message}");
    }
}

#[test]
fn every_entry_has_a_message() {
    let told: BTreeSet<&str> = MESSAGES.iter().map(|(id, _)| *id).collect();
    let known: BTreeSet<&str> = ALL.iter().map(|known| known.id).collect();
    assert_eq!(told, known);
    assert_eq!(known.len(), ALL.len(), "an id stands twice");
    assert!(ALL.len() >= 25);
}

#[test]
fn entries_are_of_one_form() {
    for known in ALL {
        assert!(known.id.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-'));
        assert!(known.cause.ends_with('.') && !known.next.is_empty(), "{}", known.id);
        for pattern in known.patterns {
            assert_eq!(*pattern, pattern.to_lowercase(), "{}: patterns are compared in lower case", known.id);
            assert!(pattern.len() >= 5, "{}: {pattern:?} says too little", known.id);
        }
    }
}

#[test]
fn what_varies_stands_between_the_parts_in_one_line() {
    assert!(matches("lookup…no such host", "dial tcp: lookup x on 1.2.3.4:53: no such host"));
    assert!(!matches("lookup…no such host", "no such host: lookup"));
    assert_eq!(find("failed to pull and unpack image \"x\"\nno such host").map(|known| known.id), Some("name-lookup"));
}

#[test]
fn other_words_are_no_known_failure() {
    for text in ["", "ValueError: no such table: orders", "all is well: 0 errors", "connection reset by peer"] {
        assert_eq!(find(text), None, "{text}");
    }
}

#[test]
fn all_that_a_text_shows_are_found() {
    let text = "OOMKilled\nNo space left on device";
    let ids: Vec<&str> = all_in(text).iter().map(|known| known.id).collect();
    assert_eq!(ids, ["disk-full", "out-of-memory"]);
}
