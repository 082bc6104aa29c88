//! Judged probes in, the smallest set of causes that accounts for the failures out.
//!
//! Each candidate cause names the probes that *must* fail if it is true, and those that *may* fail as its consequence. A candidate that a
//! single working probe contradicts is dropped. Of the rest the one that accounts for most of the failures still open is taken, again and
//! again (greedy set cover, which is within ln n of the smallest cover). Ties go to the narrower cause, then to the earlier one.

mod candidates;
mod cause;
mod cover;
mod words;

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
    let mut open: BTreeSet<usize> =
        (0..judged.len()).filter(|index| judged[*index].bad() && !policy(&judged[*index])).collect();
    let mut candidates: Vec<(Cause, Cover)> = facts
        .candidates()
        .into_iter()
        .map(|cause| {
            let cover = facts.cover(&cause);
            (cause, cover)
        })
        .filter(|(_, cover)| cover.holds())
        .collect();
    let mut explanations = Vec::new();
    loop {
        let best = candidates
            .iter()
            .enumerate()
            .map(|(index, (cause, cover))| {
                let must = cover.must.intersection(&open).count();
                (must, std::cmp::Reverse(cause.breadth()), std::cmp::Reverse(index))
            })
            .max();
        let Some((must, _, std::cmp::Reverse(index))) = best else { break };
        if must == 0 {
            break;
        }
        let (cause, cover) = candidates.swap_remove(index);
        let covered: BTreeSet<usize> =
            cover.must.union(&cover.may).copied().filter(|index| open.contains(index)).collect();
        explanations.push(facts.explain(&cause, &cover.must, &covered, witness));
        open.retain(|index| !covered.contains(index));
        candidates.sort_by_key(|(cause, _)| cause.breadth()); // swap_remove changed the order
    }
    explanations.sort_by_key(|explanation| std::cmp::Reverse(explanation.explains));
    Diagnosis { explanations, unexplained: open.iter().map(|index| describe(topology, &judged[*index])).collect() }
}

fn policy(judged: &Judged) -> bool {
    matches!(judged.probe.path, Path::Policy { .. })
}
