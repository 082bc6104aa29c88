//! Is this cluster fit for that upgrade? A [`Survey`] and a [`Request`] in, a [`Report`] out.

pub mod install;
mod plan;
pub mod target;

use std::borrow::Cow;

use cni_facts::{Detection, Facts, Part, Role, Situation, Step, Values};

use crate::assess::cni_name;
use crate::checks::{self, Seen};
use crate::report::{CheckResult, Finding, Report, RunInfo, Section, Subject, Verdict};
use crate::snapshot::node_name;
use crate::survey::{Survey, situation};
use install::{Install, install_of};
use target::Target;

/// What was asked for, beside the cluster.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The version to go to.
    pub to: Option<String>,
    /// What is known of the target.
    pub target: Target,
    /// Ids of checks and rules to run; empty: all.
    pub only: Vec<String>,
    /// Ids of checks and rules to leave out.
    pub skip: Vec<String>,
    /// Skipped, unknown and warned count as failed.
    pub strict: bool,
    /// Warnings count as failed.
    pub warnings_fail: bool,
}

/// What a check of `preflight` may look at.
pub struct Upgrade<'a> {
    /// The cluster, as `verify` sees it too.
    pub seen: Seen<'a>,
    /// All of what was read.
    pub survey: &'a Survey,
    /// What was asked for.
    pub request: &'a Request,
    /// The CNI at hand: the main one, the surest where there are several.
    pub main: Option<&'a Detection>,
    /// How it is installed.
    pub install: &'a Install,
    /// The step to the target; the reason where there is none although one was asked for.
    pub step: Option<Result<Step<'a>, String>>,
    /// What rules look at.
    pub situation: &'a Situation,
}

/// Judges a survey. The same survey, request and facts always give the same report.
pub fn assess(survey: &Survey, request: &Request, facts: &Facts) -> Report {
    let detections = cni_facts::detect(facts, &survey.snapshot.evidence());
    let mains: Vec<&Detection> = detections.iter().filter(|detection| detection.role == Role::Main).collect();
    // Of several, the one whose manifest is given is meant.
    let named = request.target.manifest.as_ref().and_then(|manifest| manifest.detection.as_ref());
    let meant = named.and_then(|named| mains.iter().copied().find(|main| main.id == named.id));
    let main = meant.or_else(|| mains.first().copied());
    let install = install_of(survey, main);
    let situation = situation_of(survey, main, &install, request);
    let step = request.to.as_ref().map(|to| match (mains.len(), meant) {
        (2.., None) => Err(format!(
            "{} run at once; with --manifest FILE it can be told which of them goes to {to}",
            cni_name(&detections)
        )),
        _ => step_of(facts, main, to),
    });
    let seen = Seen { snapshot: &survey.snapshot, facts, detections: &detections };
    let upgrade = Upgrade { seen, survey, request, main, install: &install, step, situation: &situation };
    let mut sections = checks::run_upgrade(&upgrade);
    complete(&mut sections);
    select(&mut sections, request);
    let selected = if request.only.is_empty() { String::new() } else { format!("only {}", request.only.join(", ")) };
    Report {
        strict: request.strict,
        warnings_fail: request.warnings_fail,
        subject: Subject {
            context: survey.snapshot.context.clone(),
            server: survey.snapshot.server_version.clone().unwrap_or_default(),
            cni: match &request.to {
                Some(to) => format!("{} → {to}", cni_name(&detections)),
                None => cni_name(&detections),
            },
            nodes: survey.snapshot.nodes.as_ref().map_or(0, Vec::len),
            families: families(survey),
        },
        run: RunInfo { mesh: selected, ..RunInfo::default() },
        sections,
        plan: plan::plan(&upgrade),
        ..Report::default()
    }
}

fn step_of<'a>(facts: &'a Facts, main: Option<&Detection>, to: &str) -> Result<Step<'a>, String> {
    let main = main.ok_or("which CNI runs here is not known, so there are no rules to look at")?;
    let from = main.version.as_ref().ok_or_else(|| {
        format!("the running version of {} is not known: its image has no tag that tells, and no label does", main.name)
    })?;
    cni_facts::step(facts, &main.id, from, to).map_err(|error| error.to_string())
}

/// What rules look at: the cluster, how the CNI is installed and what is known of the target.
fn situation_of(survey: &Survey, main: Option<&Detection>, install: &Install, request: &Request) -> Situation {
    let target = &request.target;
    let helm = install.is_helm();
    let values = match (&target.values, helm) {
        (Some(user), _) => Part::Known(Values {
            user: user.clone(),
            target_defaults: target
                .defaults
                .clone()
                .map_or_else(|| Part::Unknown("the target's chart is not at hand (--chart)".to_owned()), Part::Known),
        }),
        (None, Some(true)) => Part::Unknown(
            "they are in a Secret, which is never read; `helm get values` prints them for --values".to_owned(),
        ),
        (None, Some(false)) => Part::Absent,
        (None, None) => Part::Unknown("how the CNI is installed is not known".to_owned()),
    };
    let flags = if helm == Some(true) { vec!["reset-values".to_owned()] } else { Vec::new() };
    Situation {
        install: install.part(),
        helm_flags: Part::Known(flags.into_iter().collect()),
        values,
        target: target.rendered(),
        ..situation(survey, main)
    }
}

/// Gives every finding its parts: what a check did not say itself follows from the check.
fn complete(sections: &mut [Section]) {
    let all = checks::all();
    for result in sections.iter_mut().flat_map(|section| &mut section.checks) {
        if !matches!(result.verdict, Verdict::Fail | Verdict::Warn | Verdict::Unknown) || result.finding.is_some() {
            continue;
        }
        let Some(check) = all.iter().find(|check| check.id == result.id) else { continue };
        result.finding = Some(Box::new(Finding {
            subject: String::new(),
            observed: result.detail.clone(),
            expected: String::new(),
            why: check.means.to_owned(),
            source: String::new(),
        }));
        // What could not be told asks for access, not for a remedy.
        if result.hint.is_none() && result.verdict != Verdict::Unknown {
            result.hint = Some(check.remedy.to_owned());
        }
    }
}

/// `--only` and `--skip`. What is left out is said, never dropped.
fn select(sections: &mut Vec<Section>, request: &Request) {
    let named = |list: &[String], result: &CheckResult| list.iter().any(|id| *id == result.id);
    for result in sections.iter_mut().flat_map(|section| &mut section.checks) {
        if named(&request.skip, result) {
            *result = CheckResult {
                verdict: Verdict::Skip,
                detail: "left out by --skip".to_owned(),
                evidence: Vec::new(),
                hint: None,
                finding: None,
                ..result.clone()
            };
        }
    }
    if request.only.is_empty() {
        return;
    }
    let mut left_out: Vec<Cow<'static, str>> = Vec::new();
    for section in sections.iter_mut() {
        section.checks.retain(|result| {
            let keep = named(&request.only, result);
            if !keep && !left_out.contains(&result.id) {
                left_out.push(result.id.clone());
            }
            keep
        });
    }
    sections.retain(|section| !section.checks.is_empty());
    if !left_out.is_empty() {
        sections.push(Section {
            title: "Left out",
            checks: vec![CheckResult {
                id: "checks-left-out".into(),
                title: "checks that --only leaves out".to_owned(),
                verdict: Verdict::Skip,
                detail: format!("{} others", left_out.len()),
                evidence: Vec::new(),
                hint: None,
                finding: None,
            }],
        });
    }
}

fn families(survey: &Survey) -> String {
    let cidrs: Vec<&String> = survey
        .snapshot
        .nodes
        .iter()
        .flatten()
        .filter(|node| !node_name(node).is_empty())
        .flat_map(|node| node.spec.iter().flat_map(|spec| spec.pod_cidrs.iter().flatten()))
        .collect();
    let (four, six) = (cidrs.iter().any(|cidr| cidr.contains('.')), cidrs.iter().any(|cidr| cidr.contains(':')));
    match (four, six) {
        (true, true) => "IPv4+IPv6",
        (true, false) => "IPv4",
        (false, true) => "IPv6",
        (false, false) => "",
    }
    .to_owned()
}
