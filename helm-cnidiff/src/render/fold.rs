//! How the terminal's report is folded to a length that a person reads: what matters least gives way first.

/// How much of each part is shown. Blockers and risks and the overrides they come from are shown whatever else is.
pub(super) struct Squeeze {
    /// Rows of each DaemonSet.
    pub(super) daemonsets: usize,
    /// Rows of each list of values; four times as many of overrides and defaults.
    pub(super) values: usize,
    /// Rows of each other object.
    pub(super) others: usize,
    /// Other objects; one of which no row is shown takes a line.
    pub(super) objects: usize,
    /// Values are held to half a line.
    pub(super) narrow: bool,
    /// Why a risk is one is left to `--all`.
    pub(super) brief: bool,
    /// Images, new keys and the ways to inherit values are counted.
    pub(super) bare: bool,
}

/// Everything.
pub(super) const NO_SQUEEZE: Squeeze = Squeeze {
    daemonsets: usize::MAX,
    values: usize::MAX,
    others: usize::MAX,
    objects: usize::MAX,
    narrow: false,
    brief: false,
    bare: false,
};

/// Tried in turn until the lines are few enough.
pub(super) const SQUEEZES: [Squeeze; 19] = [
    Squeeze { daemonsets: 60, values: 40, others: 30, objects: 40, narrow: false, brief: false, bare: false },
    Squeeze { daemonsets: 60, values: 24, others: 16, objects: 30, narrow: false, brief: false, bare: false },
    Squeeze { daemonsets: 40, values: 16, others: 8, objects: 24, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 30, values: 12, others: 4, objects: 20, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 24, values: 10, others: 2, objects: 20, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 20, values: 8, others: 0, objects: 20, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 16, values: 7, others: 0, objects: 16, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 12, values: 5, others: 0, objects: 12, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 10, values: 4, others: 0, objects: 10, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 8, values: 3, others: 0, objects: 10, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 6, values: 2, others: 0, objects: 8, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 4, values: 1, others: 0, objects: 6, narrow: true, brief: false, bare: false },
    Squeeze { daemonsets: 8, values: 3, others: 0, objects: 8, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 6, values: 2, others: 0, objects: 5, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 5, values: 1, others: 0, objects: 4, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 4, values: 1, others: 0, objects: 3, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 4, values: 0, others: 0, objects: 3, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 2, values: 0, others: 0, objects: 2, narrow: true, brief: true, bare: false },
    Squeeze { daemonsets: 1, values: 0, others: 0, objects: 2, narrow: true, brief: true, bare: true },
];
