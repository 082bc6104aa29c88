//! Live objects of a manifest, one GET each, a few at a time.

use anyhow::Result;
use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::{Server, Session};
use crate::manifest::Document;

/// Requests at a time.
const AT_ONCE: usize = 16;

/// An object to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `apps/v1`
    pub api_version: String,
    /// `DaemonSet`
    pub kind: String,
    /// Empty for the namespace of the command line, or for none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Objects that are there.
    pub documents: Vec<Document>,
    /// Objects that could not be read, with the reason.
    pub unknown: Vec<String>,
}

pub(super) async fn read(session: &Session, server: &Server, wanted: &[Wanted]) -> Result<Live> {
    let asked = stream::iter(wanted).map(|object| async move { (object, one(session, server, object).await) });
    let answers: Vec<_> = asked.buffered(AT_ONCE).collect().await;
    let mut live = Live::default();
    for (object, answer) in answers {
        let place = format!("{} {}", object.kind, object.name);
        match answer {
            Ok(Some(value)) => live.documents.push(Document { place, value, install_only: false }),
            Ok(None) => {}
            Err(error) => live.unknown.push(format!("{place}: {error:#}")),
        }
    }
    // Nothing could be read at all: that is not "everything is new".
    match live.unknown.first() {
        Some(first) if live.documents.is_empty() && live.unknown.len() == wanted.len() => {
            Err(anyhow::anyhow!("no live object can be read; {first}"))
        }
        _ => Ok(live),
    }
}

async fn one(session: &Session, server: &Server, object: &Wanted) -> Result<Option<Value>> {
    let key = (object.api_version.clone(), object.kind.clone());
    // A kind that is not served has no objects.
    let Some((resource, namespaced)) = server.resources.get(&key) else { return Ok(None) };
    let root = if object.api_version.contains('/') { "/apis" } else { "/api" };
    let namespace = if object.namespace.is_empty() { &session.namespace } else { &object.namespace };
    let place = if *namespaced { format!("/namespaces/{}", super::encode(namespace)) } else { String::new() };
    let path = format!("{root}/{}{place}/{resource}/{}", object.api_version, super::encode(&object.name));
    let request = http::Request::get(&path).body(Vec::new())?;
    match session.client.request::<Value>(request).await {
        Ok(value) => Ok(Some(value)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(session.explain(&path, error)),
    }
}
