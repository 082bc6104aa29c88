//! Standard output and error: the only place that writes to them.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{Colour, Format, OutputArgs};
use crate::report::{self, HumanStyle, Report};

/// Writes text to standard output. A reader that went away is not an error.
pub(super) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// One line about what could not be done.
pub(super) fn problem(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

/// One line about what is being done.
pub(super) fn notice(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The report in the format that was asked for.
pub(super) fn render(report: &Report, args: &OutputArgs) -> String {
    match args.output {
        Format::Human => report::human(report, &style(args)),
        Format::Json => report::json(report),
        Format::Junit => report::junit(report),
        Format::Markdown => report::markdown(report),
    }
}

/// Width and colours from flags, environment and terminal (<https://no-color.org>).
fn style(args: &OutputArgs) -> HumanStyle {
    let terminal = std::io::stdout().is_terminal();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = match args.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            (terminal && !set("NO_COLOR") && std::env::var("TERM").is_ok_and(|term| term != "dumb"))
                || set("CLICOLOR_FORCE")
        }
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let seen = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| usize::from(width.0));
    HumanStyle {
        colour,
        width: columns.or(seen).unwrap_or(100).clamp(40, 200),
        verbose: args.verbose,
        quiet: args.quiet,
        ascii: !utf8(),
    }
}

/// Whether the locale promises UTF-8. Without a locale (cron, many CI systems) symbols are kept: bytes are not converted on the way.
fn utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        locale.to_lowercase().replace('-', "").contains("utf8") || locale == "C" || locale == "POSIX"
    })
}

/// Progress on standard error: a line that is redrawn on a terminal, silent elsewhere.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(quiet: bool) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_style(
            ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Progress(bar)
    }

    /// What is being waited for now.
    pub(super) fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }

    /// A bar of `done` of `total` with what is awaited.
    pub(super) fn count(&self, what: &str, done: usize, total: usize, awaited: &str) {
        const WIDTH: usize = 20;
        let filled = (done * WIDTH).checked_div(total).unwrap_or(WIDTH);
        let bar: String = "#".repeat(filled) + &"-".repeat(WIDTH - filled);
        let awaited = if awaited.is_empty() { String::new() } else { format!(", waiting for {awaited}") };
        self.0.set_message(format!("{what} [{bar}] {done}/{total}{awaited}"));
    }

    /// A line that stays, above the progress.
    pub(super) fn line(&self, text: &str) {
        self.0.suspend(|| notice(text));
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
