//! A recording in, a report out: judge every probe, find the causes, run the checks, add up.

use cni_facts::{Detection, Facts, Role};

use crate::checks::{Inputs, run_all};
use crate::probe::diagnose::diagnose;
use crate::probe::judge::{Judged, State, judge};
use crate::probe::plan::{Origin, Path, Round};
use crate::probe::topology::{Family, Topology};
use crate::recording::Recording;
use crate::report::{Cell, Matrix, Report, RunInfo, Subject};

/// Above this many nodes the table no longer helps anybody.
const MATRIX_MAX: usize = 60;

/// Judges a recorded run. The same recording and facts always give the same report.
pub fn assess(recording: &Recording, facts: &Facts, strict: bool) -> Report {
    let detections = cni_facts::detect(facts, &recording.snapshot.evidence());
    let judged = judge(&recording.topology, &recording.plan, &recording.runs);
    let diagnosis = diagnose(&recording.topology, &judged, &recording.witness);
    let inputs = Inputs { recording, facts, detections: &detections, judged: &judged, diagnosis: &diagnosis };
    let sections = run_all(&inputs);
    let counted = |judged: &&Judged| {
        !matches!(judged.probe.round, Round::PolicyBefore | Round::PolicyDenied | Round::PolicyAfter)
    };
    Report {
        strict,
        subject: Subject {
            context: recording.snapshot.context.clone(),
            server: recording.snapshot.server_version.clone().unwrap_or_default(),
            cni: cni_name(&detections),
            nodes: recording.topology.nodes.len(),
            families: recording.topology.families().into_iter().map(Family::name).collect::<Vec<_>>().join("+"),
        },
        run: RunInfo {
            id: recording.run.id.clone(),
            namespace: recording.run.namespace.clone(),
            image: recording.run.image.clone(),
            started: recording.run.started.clone(),
            duration_ms: recording.run.duration_ms,
            phases: recording.run.phases.clone(),
            decided: judged.iter().filter(counted).filter(|one| !matches!(one.state, State::Unknown(_))).count(),
            planned: judged.iter().filter(counted).count(),
            retried: judged
                .iter()
                .filter(counted)
                .filter(|one| matches!(one.state, State::Good { tries } if tries > 1))
                .count(),
            mesh: recording.plan.mesh.clone(),
            interrupted: recording.run.interrupted,
            left_behind: recording.run.left_behind.clone(),
        },
        sections,
        explanations: diagnosis.explanations.clone(),
        unexplained: diagnosis.unexplained.clone(),
        absent: absent(recording),
        matrix: matrix(&recording.topology, &judged),
        plan: Vec::new(),
        warnings_fail: false,
    }
}

/// What runs here, in a word or two.
pub(crate) fn cni_name(detections: &[Detection]) -> String {
    let mains = detections.iter().filter(|detection| detection.role == Role::Main);
    let names = mains.map(|detection| match &detection.version {
        Some(version) => format!("{} v{version}", detection.name),
        None => detection.name.clone(),
    });
    let cni = names.collect::<Vec<_>>().join(" + ");
    if cni.is_empty() { "unknown CNI".to_owned() } else { cni }
}

fn absent(recording: &Recording) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for pod in &recording.pods {
        if let Some(why) = &pod.stuck {
            let line = format!("{}: {why}", pod.node);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

fn matrix(topology: &Topology, judged: &[Judged]) -> Matrix {
    let count = topology.nodes.len();
    if count > MATRIX_MAX {
        return Matrix::default();
    }
    let mut tally = vec![vec![(0, 0, 0); count]; count];
    for one in judged {
        if let (Path::Pod { to, .. }, Origin::Pod) = (one.probe.path, one.probe.origin) {
            let (good, bad, unknown) = &mut tally[one.probe.node][to];
            match one.state {
                State::Good { .. } => *good += 1,
                State::Bad(_) => *bad += 1,
                State::Unknown(_) => *unknown += 1,
            }
        }
    }
    let cell = |(good, bad, unknown): (usize, usize, usize)| match (good, bad, unknown) {
        (0, 0, 0) => Cell::NotProbed,
        (0, 0, _) => Cell::Unknown,
        (0, _, _) => Cell::Shut,
        (_, 0, 0) => Cell::Open,
        _ => Cell::Partial,
    };
    Matrix {
        nodes: topology.nodes.iter().map(|node| node.name.clone()).collect(),
        cells: tally.into_iter().map(|row| row.into_iter().map(cell).collect()).collect(),
    }
}
