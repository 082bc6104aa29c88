//! The command line as types. No logic: commands take these structs and decide.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles =
    Styles::styled().header(AnsiColor::Cyan.on_default().bold()).literal(AnsiColor::Green.on_default());

const EXIT_CODES: &str = "Exit status:
  0    nothing to report
  1    at least one check failed (with --strict: or was skipped, unknown or a warning)
  2    could not run, or could not decide
  130  interrupted; the partial report is printed all the same";

/// Check a Kubernetes network before, during and after a CNI upgrade.
#[derive(Debug, Parser)]
#[command(name = "kubectl-cni", bin_name = "kubectl cni", version = VERSION, styles = STYLES, after_help = EXIT_CODES, max_term_width = 110)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Version, and the agent that is embedded.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The sub-commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send real packets along every kind of network path and explain what does not work
    ///
    /// Starts two small pods on every Linux node (restricted Pod Security, no service account token, no image of
    /// its own), probes every path between them, removes everything again and says what is broken and why.
    #[command(after_help = EXIT_CODES)]
    Verify(Box<VerifyArgs>),
    /// Say whether a cluster is fit for a CNI upgrade, which rule stands in the way, and what to type
    ///
    /// Reads the cluster and creates nothing: the CNI and how it is installed, its health, the nodes, and everything that is known of the
    /// version step as rules with their sources. Without --to, what would be in the way of any upgrade.
    #[command(after_help = EXIT_CODES)]
    Preflight(Box<PreflightArgs>),
    /// Remove what an interrupted run left behind
    Cleanup(CleanupArgs),
    /// Say what a check means, why it matters and what to do
    Explain(ExplainArgs),
    /// Print a shell completion script, or install the one kubectl uses
    Completion(CompletionArgs),
    /// Answer kubectl's completion protocol
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete(CompleteArgs),
}

/// Which cluster, and as whom: as kubectl has them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectArgs {
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// User to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub impersonate: Option<String>,
    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", value_name = "GROUP")]
    pub impersonate_groups: Vec<String>,
    /// How long to wait for one answer of the API server, including retries
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub request_timeout: Duration,
}

/// Options of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Probe pods.
    #[command(flatten)]
    pub pods: PodArgs,
    /// Paths.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Print what would be created, as YAML, and stop; the API server checks it but keeps nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the ClusterRole and Role this command needs, and stop
    #[arg(long)]
    pub print_rbac: bool,
    /// Save what was gathered and observed into a new folder, for --from
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Judge a recorded run again; no cluster is contacted
    #[arg(long, value_name = "DIR", conflicts_with_all = ["record", "dry_run", "print_rbac"])]
    pub from: Option<PathBuf>,
    /// Folder of facts that add to or override the built-in ones
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
}

/// Options of `preflight`.
#[derive(Args, Clone, Debug)]
pub struct PreflightArgs {
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Version of the CNI to go to, such as 1.19.6 [default: that of --chart or --manifest]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Helm values of the upgrade; can be repeated, later files win
    #[arg(long, value_name = "FILE")]
    pub values: Vec<PathBuf>,
    /// Unpacked chart of the target, for its version and defaults
    #[arg(long, value_name = "DIR", conflicts_with = "manifest")]
    pub chart: Option<PathBuf>,
    /// Rendered manifest of the target
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Also save what was read into a new folder, for --from
    #[arg(long, value_name = "DIR")]
    pub snapshot: Option<PathBuf>,
    /// Judge a folder made by --snapshot; no cluster is contacted
    #[arg(long, value_name = "DIR", conflicts_with_all = ["snapshot", "print_rbac"])]
    pub from: Option<PathBuf>,
    /// Folder of facts that add to or override the built-in ones
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
    /// Only these checks and rules (comma-separated ids)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks and rules out (comma-separated ids)
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// What fails: blockers only, or warnings too
    #[arg(long, value_enum, default_value_t = FailOn::Blocker)]
    pub fail_on: FailOn,
    /// Print the ClusterRole this command needs, and stop
    #[arg(long)]
    pub print_rbac: bool,
}

/// What makes `preflight` fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// failed checks and blockers
    Blocker,
    /// warnings, too
    Warning,
}

/// How probe pods look and where they run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Probe pods")]
pub struct PodArgs {
    /// Image to run the agent in; any Linux image that is on the nodes will do [default: the CNI's own]
    #[arg(long)]
    pub image: Option<String>,
    /// Existing namespace to use [default: a new one, cni-verify-<run>]
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Only nodes with these labels (key=value,…)
    #[arg(long, value_name = "LABELS", value_parser = parse_labels)]
    pub node_selector: Option<KeyValues>,
    /// Only these nodes (comma-separated)
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub nodes: Vec<String>,
    /// Label for every created object (key=value); can be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub labels: Vec<(String, String)>,
    /// Annotation for every created object (key=value); can be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub annotations: Vec<(String, String)>,
    /// PriorityClass of the probe pods
    #[arg(long, value_name = "NAME")]
    pub priority_class: Option<String>,
    /// Secret in the probe namespace to pull the image with; can be repeated
    #[arg(long, value_name = "NAME")]
    pub image_pull_secret: Vec<String>,
    /// How long to wait for probe pods to start
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub start_timeout: Duration,
}

/// Which paths to try.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Paths")]
pub struct PathArgs {
    /// Also probe from and to the nodes' own network (needs a privileged namespace)
    #[arg(long)]
    pub host_network: bool,
    /// Also connect to this target outside the cluster; can be repeated. Nothing leaves the cluster without it
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_host_port)]
    pub external: Vec<String>,
    /// Leave the NetworkPolicy smoke test out
    #[arg(long)]
    pub no_policy: bool,
    /// Also run read-only status commands inside the (privileged) CNI agents
    #[arg(long)]
    pub allow_exec: bool,
    /// How plans reach the probe pods and results come back
    #[arg(long, value_enum, default_value_t = Transport::Auto)]
    pub transport: Transport,
    /// How long one probe waits for its answer
    #[arg(long, value_name = "DURATION", default_value = "2500ms", value_parser = parse_duration)]
    pub probe_timeout: Duration,
}

/// Way to and from the agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// exec where allowed, else log
    #[default]
    Auto,
    /// one exec per pod and round
    Exec,
    /// plan in a ConfigMap, results from the pod log; needs no pods/exec
    Log,
}

/// How the report looks.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Format of the report on standard output
    #[arg(short, long, value_enum, default_value_t = Format::Human)]
    pub output: Format,
    /// Only what needs attention, and the summary
    #[arg(short, long)]
    pub quiet: bool,
    /// Also the node by node table and every failed path
    #[arg(short, long)]
    pub verbose: bool,
    /// Skipped, unknown and warned count as failed
    #[arg(long)]
    pub strict: bool,
    /// Also write the JSON report to a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Colour
    #[arg(long, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", alias = "colour")]
    pub color: Colour,
}

/// Report formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// for a terminal
    Human,
    /// schema 1, see report/schema.json
    Json,
    /// for a CI system
    Junit,
    /// for a change ticket
    Markdown,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// on a terminal, unless NO_COLOR is set
    Auto,
    /// always
    Always,
    /// never
    Never,
}

/// Options of `cleanup`.
#[derive(Args, Clone, Debug)]
pub struct CleanupArgs {
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Look in this namespace only [default: all namespaces]
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Only this run, even if it still seems to be going on
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub run: Option<String>,
    /// Every run, even those that still seem to be going on
    #[arg(long)]
    pub all: bool,
    /// Only list what would be removed
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// Check or rule id as printed by verify and preflight; without one, all checks are listed
    pub id: Option<String>,
    /// Folder of facts that add to or override the built-in ones
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
}

/// Options of `completion`.
#[derive(Args, Clone, Debug)]
pub struct CompletionArgs {
    /// `install` writes the file kubectl looks for; else a shell to print a script for
    #[arg(value_name = "install|bash|zsh|fish|powershell")]
    pub what: String,
    /// Folder on PATH for `install` [default: where this program is]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Words typed so far.
#[derive(Args, Clone, Debug)]
pub struct CompleteArgs {
    /// Arguments after `kubectl cni`, the last one being completed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

/// `key=value` pairs in the order given.
pub type KeyValues = Vec<(String, String)>;

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected key=value".to_owned()),
    }
}

fn parse_labels(text: &str) -> Result<KeyValues, String> {
    text.split(',').map(parse_pair).collect()
}

/// The form only: a name is looked up when the run begins.
fn parse_host_port(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(port) if port > 0 => Ok(text.to_owned()),
        _ => Err("expected HOST:PORT, such as example.org:443 or [2001:db8::1]:443".to_owned()),
    }
}

/// Durations as kubectl writes them: `500ms`, `30s`, `2m`, `1h`; a bare number is seconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| "expected a duration such as 500ms, 30s or 2m".to_owned())?;
    let millis = match &text[digits..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        unit => return Err(format!("unknown unit {unit:?}: use ms, s, m or h")),
    };
    number
        .checked_mul(millis)
        .filter(|total| (1..=86_400_000).contains(total))
        .map(Duration::from_millis)
        .ok_or_else(|| "must be more than 0 and at most 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("7", 7_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "0", "1d", "-1s", "99999999999999999999", "25h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
