//! Live objects of a manifest, one GET each, a few at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use serde_json::Value;

use super::{Server, Session};
use crate::manifest::Document;
use crate::source::connect::Answer;
use crate::source::joined;

/// Requests at a time.
const AT_ONCE: usize = 8;

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

pub(super) fn read(session: &Session, server: &Server, wanted: &[Wanted]) -> Result<Live> {
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, Result<Option<Value>>)> = thread::scope(|scope| {
        let work = || {
            let mut answers = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(object) = wanted.get(at) else { return answers };
                answers.push((at, one(session, server, object)));
            }
        };
        let threads: Vec<_> = (0..AT_ONCE.min(wanted.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(joined).collect()
    });
    answers.sort_by_key(|(at, _)| *at);
    let mut live = Live::default();
    for (at, answer) in answers {
        let object = &wanted[at];
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

fn one(session: &Session, server: &Server, object: &Wanted) -> Result<Option<Value>> {
    let key = (object.api_version.clone(), object.kind.clone());
    // A kind that is not served has no objects.
    let Some((resource, namespaced)) = server.resources.get(&key) else { return Ok(None) };
    let root = if object.api_version.contains('/') { "/apis" } else { "/api" };
    let namespace = if object.namespace.is_empty() { &session.namespace } else { &object.namespace };
    let place = if *namespaced { format!("/namespaces/{}", super::encode(namespace)) } else { String::new() };
    let path = format!("{root}/{}{place}/{resource}/{}", object.api_version, super::encode(&object.name));
    match session.client.get(&path, None)? {
        Answer::Value(value) => Ok(Some(value)),
        Answer::Refused(404, _) => Ok(None),
        Answer::Refused(status, said) => Err(session.refused(&path, status, &said)),
    }
}
