//! Which CNI runs here?

use cni_facts::{Confidence, Role};

use super::{Check, Judge, Seen};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "cni-unknown",
    section: "CNI agents",
    title: "the CNI is known",
    means: "The CNI is recognised by its DaemonSets, images and API groups. Where it is not, the checks of its agents are left out and no \
            expectation about NetworkPolicy is known; every path is probed all the same. Two main CNIs at once usually are what an unfinished \
            migration leaves.",
    remedy: "Unknown: nothing to do; a file for --facts can teach it. Several: remove the one that should not be there, after checking which \
             configuration the nodes use (the first file by name in /etc/cni/net.d).",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    if let Err(missing) = &seen.snapshot.daemonsets {
        return vec![check.result(Verdict::Unknown, missing.to_string())];
    }
    let name = |id: &str| seen.facts.get(id).map_or(id.to_owned(), |cni| cni.name.clone());
    let mains: Vec<_> = seen.detections.iter().filter(|detection| detection.role == Role::Main).collect();
    let listed: Vec<String> = seen
        .detections
        .iter()
        .map(|detection| {
            let version = detection.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
            let sure = match detection.confidence {
                Confidence::Certain => "",
                Confidence::Likely => " (likely)",
                Confidence::Guess => " (a guess)",
            };
            format!("{}{version}{sure}", name(&detection.id))
        })
        .collect();
    let mut result = match mains.len() {
        0 => check.result(Verdict::Note, "unknown: no DaemonSet looks like one we know; generic checks only"),
        1 => check.result(Verdict::Pass, listed.join(", ")),
        _ => check.result(Verdict::Warn, format!("several at once: {}", listed.join(", "))),
    };
    if result.verdict == Verdict::Warn {
        result.evidence = mains
            .iter()
            .flat_map(|detection| detection.because.iter().map(|why| format!("{}: {why}", name(&detection.id))))
            .collect();
    }
    vec![result]
}
