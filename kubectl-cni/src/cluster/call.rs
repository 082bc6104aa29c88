//! One request with a deadline and retries in, its answer or a named reason out.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::snapshot::Missing;

/// Names a request for error messages and bounds it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// "list", "create", …
    pub verb: &'static str,
    /// Resource with its group ("daemonsets.apps").
    pub resource: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Bound on the request with its retries.
    pub timeout: Duration,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// RBAC or admission refused it.
    Missing(Missing),
    /// It exists already.
    Exists,
    /// The object is not valid, or quota stands against it: what the API server said.
    Refused(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallError::Missing(missing) => missing.fmt(f),
            CallError::Exists => f.write_str("already exists"),
            CallError::Refused(message) => f.write_str(message),
        }
    }
}

impl From<CallError> for Missing {
    fn from(error: CallError) -> Missing {
        match error {
            CallError::Missing(missing) => missing,
            other => Missing::Failed(other.to_string()),
        }
    }
}

/// Longest single attempt: a server that hangs must not eat the whole time for retries.
const ATTEMPT: Duration = Duration::from_secs(15);

impl Call {
    /// Runs the request until it is answered, refused for good, or the time is over. What may pass by itself is tried again: no connection,
    /// 429, 5xx, a torn answer.
    pub(crate) async fn run<T, F: Future<Output = Result<T, kube::Error>>>(
        &self,
        mut request: impl FnMut() -> F,
    ) -> Result<T, CallError> {
        let deadline = Instant::now() + self.timeout;
        let mut pause = Duration::from_millis(100);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let last = match timeout(left.min(ATTEMPT), request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => match self.final_word(&error) {
                    Some(error) => return Err(error),
                    None => plain(&error),
                },
                Err(_) => "no answer from the API server".to_owned(),
            };
            if Instant::now() + pause >= deadline {
                return Err(CallError::Missing(Missing::Failed(format!(
                    "{} {}: {last} (gave up after {} s, see --request-timeout)",
                    self.verb,
                    self.resource,
                    self.timeout.as_secs()
                ))));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// The error, unless it may pass by itself.
    fn final_word(&self, error: &kube::Error) -> Option<CallError> {
        match error {
            kube::Error::Api(status) => match status.code {
                401 => Some(CallError::Missing(Missing::Failed(
                    "the API server does not accept these credentials (401 Unauthorized)".to_owned(),
                ))),
                403 if status.message.contains("exceeded quota") => Some(CallError::Refused(status.message.clone())),
                403 => Some(CallError::Missing(Missing::Forbidden {
                    verb: denied_verb(&status.message).unwrap_or(self.verb).to_owned(),
                    resource: self.resource.clone(),
                    namespace: self.namespace.clone(),
                    message: status.message.clone(),
                })),
                404 => Some(CallError::Missing(Missing::Absent)),
                409 if status.reason == "AlreadyExists" => Some(CallError::Exists),
                400 | 405..=428 => Some(CallError::Refused(status.message.clone())),
                _ => None,
            },
            kube::Error::Auth(_)
            | kube::Error::BuildRequest(_)
            | kube::Error::SerdeError(_)
            | kube::Error::InferConfig(_) => Some(CallError::Missing(Missing::Failed(plain(error)))),
            _ => None,
        }
    }
}

/// The verb in an authorizer's answer (`User "x" cannot get resource "pods/exec" …`), which may ask for another than the request's own.
fn denied_verb(message: &str) -> Option<&str> {
    let (verb, rest) = message.split_once(" cannot ")?.1.split_once(' ')?;
    rest.starts_with("resource ").then_some(verb)
}

/// The innermost cause when not even a connection came about; what wraps it says nothing more to a reader.
fn connecting(error: &kube::Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    let mut connect = error.to_string().contains("(Connect)");
    let mut last = None;
    while let Some(cause) = source {
        let text = cause.to_string();
        connect |= text.contains("(Connect)");
        source = cause.source();
        last = Some(text);
    }
    last.filter(|_| connect)
}

/// The error and its causes in one line.
fn plain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return if status.message.is_empty() { format!("HTTP {}", status.code) } else { status.message.clone() };
    }
    if let Some(cause) = connecting(error) {
        return format!("cannot connect: {cause}");
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_that_was_denied_is_the_authorizers() {
        let message = "pods \"x\" is forbidden: User \"alice\" cannot get resource \"pods/exec\" in API group \"\" in the namespace \"n\"";
        assert_eq!(denied_verb(message), Some("get"));
        assert_eq!(denied_verb("every pod needs a label team"), None);
        assert_eq!(denied_verb("you cannot be serious"), None);
    }
}
