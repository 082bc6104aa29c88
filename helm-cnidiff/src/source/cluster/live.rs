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
    let answers = each(wanted, |object| one(session, server, object));
    let mut live = Live::default();
    for (object, answer) in wanted.iter().zip(answers) {
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

/// Asks for each, a few at a time; answers come in the order of the questions.
pub(super) fn each<T: Sync, A: Send>(questions: &[T], ask: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, A)> = thread::scope(|scope| {
        let work = || {
            let mut answers = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(question) = questions.get(at) else { return answers };
                answers.push((at, ask(question)));
            }
        };
        let threads: Vec<_> = (0..AT_ONCE.min(questions.len())).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(joined).collect()
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Where an object is found; `None` where its kind is not served.
pub(super) fn place(session: &Session, server: &Server, object: &Wanted) -> Option<String> {
    let (resource, namespaced) = server.resources.get(&(object.api_version.clone(), object.kind.clone()))?;
    let root = if object.api_version.contains('/') { "/apis" } else { "/api" };
    let namespace = if object.namespace.is_empty() { &session.namespace } else { &object.namespace };
    let place = if *namespaced { format!("/namespaces/{}", super::encode(namespace)) } else { String::new() };
    Some(format!("{root}/{}{place}/{resource}/{}", object.api_version, super::encode(&object.name)))
}

fn one(session: &Session, server: &Server, object: &Wanted) -> Result<Option<Value>> {
    // A kind that is not served has no objects.
    let Some(path) = place(session, server, object) else { return Ok(None) };
    match session.client.get(&path, None)? {
        Answer::Value(value) => Ok(Some(value)),
        Answer::Refused(refusal) if refusal.status == 404 => Ok(None),
        Answer::Refused(refusal) => Err(session.refused(&path, refusal.status, &refusal.said)),
    }
}
