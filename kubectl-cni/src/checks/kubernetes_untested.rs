//! Is the CNI tested with this Kubernetes?

use cni_facts::{Supported, Version};

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "kubernetes-untested",
    section: "Versions",
    title: "the CNI is tested with this Kubernetes",
    means: "Projects say with which Kubernetes minors they test a release. Outside of these it may work, but nobody has tried, and a chart may refuse. \
            Judged is the target where one is given, else what runs. Where no table is known the question stays open.",
    remedy: "Take a version of the CNI that is tested with this Kubernetes, or change Kubernetes first.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Some((version, support)) = super::supported_version(upgrade) else { return Vec::new() };
    let Some(support) = support else {
        return vec![check.result(Verdict::Skip, "no table of tested versions is known for this CNI")];
    };
    let kubernetes = match &upgrade.survey.snapshot.server_version {
        Ok(text) => match Version::parse(text) {
            Ok(kubernetes) => kubernetes,
            Err(error) => return vec![check.result(Verdict::Unknown, error.to_string())],
        },
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    vec![match support.kubernetes(&version, &kubernetes) {
        Supported::Yes => check.result(Verdict::Pass, format!("{version} with {}", kubernetes.minor_text())),
        Supported::Unknown { why } => check.result(Verdict::Skip, why),
        Supported::No { expected } => {
            let detail = format!("{version} is not tested with Kubernetes {}", kubernetes.minor_text());
            let mut result = check.result(Verdict::Warn, detail);
            let source = support.minor(&version).map(|minor| minor.source.clone()).unwrap_or_default();
            result.finding = Some(super::finding(&result, "Kubernetes", &expected, check.means, &source));
            result
        }
    }]
}
