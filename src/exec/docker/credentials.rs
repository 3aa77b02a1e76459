//! What Docker keeps as user and password of a registry: in its configuration, or with a helper program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};

use crate::exec::host;

/// How long a helper may take; one that asks a person has been answered by then, or never will be.
const PATIENCE: Duration = Duration::from_secs(30);

/// The key under which Docker keeps what belongs to Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// The credentials for the registry in a reference, none where there are none. As with Docker itself, what
/// cannot be read is no reason not to try without; but it is said.
pub async fn of(reference: &str) -> Option<DockerCredentials> {
    let registry = crate::images::registry(reference).to_owned();
    let file = match fs_err::File::open(config()?) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!("asking {registry} without credentials: {error}");
            return None;
        }
    };
    let server = if registry == "docker.io" { HUB.to_owned() } else { registry.clone() };
    let (sender, answer) = tokio::sync::oneshot::channel();
    // A thread of its own, which ends with the process even where a helper does not.
    std::thread::spawn(move || drop(sender.send(get_credential_from_reader(file, &server))));
    let why = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(Ok(credential))) => return Some(for_engine(credential, registry)),
        Ok(Ok(Err(error))) => why_not(error)?,
        Ok(Err(_)) | Err(_) => format!("the credential helper did not answer within {} s", PATIENCE.as_secs()),
    };
    tracing::warn!("asking {registry} without credentials: {why}");
    None
}

/// Docker's configuration file.
fn config() -> Option<PathBuf> {
    let folder = host::variable("DOCKER_CONFIG").map(PathBuf::from);
    folder.or_else(|| Some(Path::new(&host::variable("HOME")?).join(".docker"))).map(|path| path.join("config.json"))
}

fn for_engine(credential: DockerCredential, registry: String) -> DockerCredentials {
    let serveraddress = Some(registry);
    match credential {
        DockerCredential::IdentityToken(token) => {
            DockerCredentials { identitytoken: Some(token), serveraddress, ..Default::default() }
        }
        DockerCredential::UsernamePassword(username, password) => DockerCredentials {
            username: Some(username),
            password: Some(password),
            serveraddress,
            ..Default::default()
        },
    }
}

/// What is wrong, none where there simply is no password. What a helper printed may be a secret: it is not repeated.
fn why_not(error: CredentialRetrievalError) -> Option<String> {
    use CredentialRetrievalError as Error;
    Some(match error {
        Error::NoCredentialConfigured | Error::ConfigNotFound => return None,
        // The one sentence that the helpers of Docker agree upon.
        Error::HelperFailure { stdout, .. } if stdout.contains("credentials not found") => return None,
        Error::HelperFailure { helper, .. } => format!("{helper} failed; try {helper} list"),
        Error::HelperCommunicationError => "the credential helper in Docker's config.json cannot be run".to_owned(),
        Error::MalformedHelperResponse => "the credential helper's answer is no JSON".to_owned(),
        Error::CredentialDecodingError | Error::CredentialMismatchError | Error::ConfigReadError => {
            "Docker's config.json cannot be understood".to_owned()
        }
    })
}

/// The alphabet that the engine wants in its header; the client writes the other one, and the engine then
/// takes a password with certain letters for none.
pub fn url_safe(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    if let Some(header) = request.headers_mut().get_mut("X-Registry-Auth") {
        let text = header.to_str().unwrap_or_default().replace('+', "-").replace('/', "_");
        if let Ok(value) = text.parse() {
            *header = value;
        }
        // Kept out of debug output.
        header.set_sensitive(true);
    }
    request
}
