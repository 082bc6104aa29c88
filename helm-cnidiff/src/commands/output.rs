//! Standard output and error: the only place that writes to them.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Result;

use crate::cli::{Colour, Format, OutputArgs};
use crate::comparison::Comparison;
use crate::exit::Exit;
use crate::render::{self, HumanStyle, Parts, Show, TicketStyle};

/// Writes text to standard output. A reader that went away is not an error.
pub(super) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// What a reader is to know while it happens; the report itself is on standard output.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "note: {text}");
}

/// What could not be done.
pub(super) fn problem(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {text}");
}

/// Prints a comparison in the format that was asked for.
pub(super) fn report(comparison: &Comparison, args: &OutputArgs) -> Result<Exit> {
    let show = Show { parts: parts(args), all: args.all, noise: args.show_noise };
    let ticket = |style: TicketStyle| TicketStyle { max_chars: args.max_chars.unwrap_or(style.max_chars), show };
    let text = match args.output {
        Format::Plain => render::human(comparison, &HumanStyle { show, ..style(args) }),
        Format::Markdown => render::markdown(comparison, &ticket(TicketStyle::GITHUB)),
        Format::Gitlab => render::gitlab(comparison, &ticket(TicketStyle::GITLAB)),
        Format::Jira => render::jira(comparison, &ticket(TicketStyle::JIRA)),
        Format::Html => render::html(comparison, &show),
        Format::Json => render::json(comparison),
    };
    print(&text);
    Ok(if args.exit_code && !comparison.is_empty() { Exit::Different } else { Exit::Compared })
}

fn parts(args: &OutputArgs) -> Parts {
    match (args.values_only, args.daemonsets_only) {
        (true, _) => Parts::Values,
        (_, true) => Parts::DaemonSets,
        _ => Parts::Everything,
    }
}

/// Width and colours from flags, environment and terminal (<https://no-color.org>).
fn style(args: &OutputArgs) -> HumanStyle {
    let terminal = std::io::stdout().is_terminal();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = match args.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if set("NO_COLOR") => false,
        Colour::Auto if set("CLICOLOR_FORCE") => true,
        Colour::Auto => terminal && std::env::var("TERM").is_ok_and(|term| term != "dumb"),
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let seen = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| usize::from(width.0));
    HumanStyle { colour, width: columns.or(seen).unwrap_or(110), ascii: !utf8(), show: Show::DEFAULT }
}

/// Whether the locale promises UTF-8. Without a locale (cron, many CI systems) symbols are kept: bytes are not converted
/// on the way.
fn utf8() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_none_or(|locale| {
        locale.to_lowercase().replace('-', "").contains("utf8") || locale == "C" || locale == "POSIX"
    })
}
