//! How is the CNI installed?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::preflight::install::Install;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "install-method-unknown",
    section: "CNI agents",
    title: "how the CNI is installed is known",
    means: "A CNI is upgraded the way it was installed: mixed ways leave objects that nobody owns, or put back what was changed. What tells are Helm's, \
            kubectl's, operators' and add-on managers' marks on the DaemonSet. Helm's own record is in a Secret, which is never read.",
    remedy: "Find out who made the DaemonSet (kubectl get --show-managed-fields) and upgrade that way. Rules that depend on it stay unknown.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    if upgrade.main.is_none() {
        return Vec::new();
    }
    let verdict = match upgrade.install {
        Install::Unknown(_) => Verdict::Note,
        Install::Helm { .. } | Install::Other(..) => Verdict::Pass,
    };
    vec![check.result(verdict, upgrade.install.words())]
}
