//! Judged probes in, the smallest set of causes that accounts for the failures out.
//!
//! Each candidate cause names the probes that *must* fail if it is true, and those that *may* fail as its consequence. A candidate that a
//! single working probe contradicts is dropped. Of the rest the one that accounts for most of the failures still open is taken, again and
//! again (greedy set cover, which is within ln n of the smallest cover). Ties go to the narrower cause, then to the earlier one.

mod candidates;
mod cause;
mod cover;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use self::cause::Cause;
use self::cover::{Cover, Facts};
use super::judge::{Judged, describe};
use super::plan::Path;
use super::topology::Topology;
use crate::report::Explanation;

/// What is known beside the probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Witness {
    /// For each node whose server log could be read: the client nodes whose UDP probes it received. Tells a lost request from a lost answer.
    pub received: BTreeMap<usize, BTreeSet<usize>>,
}

/// Causes, and the failures that none of them covers.
pub struct Diagnosis {
    /// Largest first.
    pub explanations: Vec<Explanation>,
    /// One line per failure that is left.
    pub unexplained: Vec<String>,
}

/// Finds the causes.
pub fn diagnose(topology: &Topology, judged: &[Judged], witness: &Witness) -> Diagnosis {
    let facts = Facts::new(topology, judged);
    let mut open: Vec<bool> = judged.iter().map(|one| one.bad() && !policy(one)).collect();
    // Sorted by breadth, so that of two equal ones the earlier is the narrower.
    let mut candidates: Vec<(Cause, Cover)> = facts
        .candidates()
        .into_iter()
        .map(|cause| (cause, facts.cover(&cause)))
        .filter(|(_, cover)| cover.holds())
        .collect();
    candidates.sort_by_key(|(cause, _)| cause.breadth());
    let mut explanations = Vec::new();
    loop {
        let accounted = |cover: &Cover| cover.must.iter().filter(|index| open[**index]).count();
        let best = candidates.iter().enumerate().map(|(index, (_, cover))| (accounted(cover), Reverse(index))).max();
        let Some((_, Reverse(index))) = best.filter(|(must, _)| *must > 0) else { break };
        let (cause, cover) = &candidates[index];
        let must: BTreeSet<usize> = cover.must.iter().copied().collect();
        let covered: BTreeSet<usize> = (0..judged.len())
            .filter(|index| open[*index] && (must.contains(index) || facts.consequence(cause, &judged[*index])))
            .collect();
        explanations.push(facts.explain(cause, &must, &covered, witness));
        for index in covered {
            open[index] = false;
        }
    }
    explanations.sort_by_key(|explanation| Reverse(explanation.explains));
    let unexplained = (0..judged.len()).filter(|index| open[*index]).map(|index| describe(topology, &judged[index]));
    Diagnosis { explanations, unexplained: unexplained.collect() }
}

fn policy(judged: &Judged) -> bool {
    matches!(judged.probe.path, Path::Policy { .. })
}
