//! One question and its answer in HTTP/1.1, over a connection to a pod.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;

use crate::ports::Forward;

/// How long the other side may say nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked.
pub struct Question<'a> {
    pub method: Method,
    /// With the query.
    pub path: &'a str,
    /// What is to come back.
    pub accept: &'static str,
    pub token: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl Question<'_> {
    fn request(&self) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(&self.method).uri(self.path);
        // Each question has a connection of its own.
        request = request.header(HOST, "airflow").header(CONNECTION, "close").header(ACCEPT, self.accept);
        if let Some(token) = self.token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let mut body = Bytes::new();
        if let Some(value) = self.body {
            request = request.header(CONTENT_TYPE, "application/json");
            body = serde_json::to_vec(value)?.into();
        }
        Ok(request.body(Full::new(body))?)
    }
}

/// Asks, and hands over the parts of the answer with its status as they come, until there are no more or one
/// is refused.
///
/// # Errors
/// When the connection breaks off, or nothing comes for a while.
pub async fn ask(
    mut forward: Forward,
    question: &Question<'_>,
    take: &mut dyn FnMut(StatusCode, &[u8]) -> Result<()>,
) -> Result<StatusCode> {
    let request = question.request()?;
    let talk = async {
        let (mut sender, connection) = patient(hyper::client::conn::http1::handshake(TokioIo::new(forward.stream)))
            .await?
            .context("no HTTP is spoken there")?;
        let answer = async {
            let response = patient(sender.send_request(request)).await?.context("the connection broke off")?;
            let (status, mut body) = (response.status(), response.into_body());
            while let Some(frame) = patient(body.frame()).await? {
                let frame = frame.context("the connection broke off in the middle of the answer")?;
                if let Some(data) = frame.data_ref() {
                    take(status, data)?;
                }
            }
            Ok(status)
        };
        // It moves the bytes. What ends it ends the answer as well, which says why.
        let moving = async {
            drop(connection.await);
            std::future::pending().await
        };
        tokio::select! {
            biased;
            answer = answer => answer,
            never = moving => never,
        }
    };
    tokio::select! {
        // A refusal ends the connection as well, and says more.
        biased;
        Some(why) = &mut forward.refused => bail!(why),
        answer = talk => answer,
    }
}

async fn patient<T>(future: impl Future<Output = T>) -> Result<T> {
    timeout(PATIENCE, future).await.map_err(|_| anyhow!("no answer for {} s", PATIENCE.as_secs()))
}
