//! The command line as types. No logic: commands take these structs and decide.
//!
//! Helm takes `-n`, `--namespace`, `--kube-*`, `--kubeconfig`, `--debug` and the registry flags out of the line before a
//! plugin sees it, wherever they stand, and hands them over in the environment. Glued forms (`-nkube-system`) and
//! `--color`, `--qps`, `--burst-limit`, `--content-cache` do get here; all of them are known below, so that the program
//! says the same whether helm or a script runs it.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles =
    Styles::styled().header(AnsiColor::Cyan.on_default().bold()).literal(AnsiColor::Green.on_default());

const AFTER_HELP: &str = "Examples:
  helm cnidiff cilium cilium/cilium --version 1.19.6 -n kube-system
                                          installed release against a chart of a repository
  helm cnidiff cilium ./cilium-1.19.6.tgz -f values.yaml --set bpf.masquerade=true -n kube-system
  helm cnidiff cilium oci://quay.io/cilium/charts/cilium --version 1.19.6 --reuse-values -n kube-system
  helm cnidiff charts cilium-1.18.4.tgz cilium-1.19.6.tgz -f values.yaml
                                          two charts, no cluster
  helm cnidiff manifest -f kube-flannel.yml
                                          live objects against a manifest
  helm cnidiff manifests old.yaml new.yaml
  helm cnidiff revision cilium 3 5        two stored revisions; what `helm rollback` would do
  helm cnidiff upgrade charts ./cilium-1.19.6.tgz
                                          a release that is named charts, manifest, manifests, revision or upgrade
  helm cnidiff cilium cilium/cilium --version 1.19.6 -o markdown > ticket.md

`helm cnidiff --version`, without a value, prints the version of this program.

Exit status:
  0  compared; with --exit-code: nothing differs
  1  with --exit-code: something differs
  2  could not compare";

/// Show what a CNI chart upgrade changes: values, DaemonSets, what restarts and what is blocked
///
/// RELEASE is an installed release, CHART what it is to be upgraded to: a folder, a .tgz, repo/name, oci:// or a URL.
/// Nothing is changed in the cluster.
#[derive(Debug, Parser)]
#[command(name = "helm-cnidiff", bin_name = "helm cnidiff", disable_version_flag = true, styles = STYLES, after_help = AFTER_HELP, max_term_width = 110)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, subcommand_help_heading = "Other comparisons")]
#[command(
    override_usage = "helm cnidiff [upgrade] RELEASE CHART [OPTIONS]\n       helm cnidiff charts OLD NEW [OPTIONS]\n       helm cnidiff manifest -f FILE [OPTIONS]\n       helm cnidiff manifests OLD NEW [OPTIONS]\n       helm cnidiff revision RELEASE REVISION [REVISION] [OPTIONS]"
)]
pub struct Cli {
    /// Another comparison than release and chart.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Release and chart.
    #[command(flatten)]
    pub upgrade: UpgradeArgs,
}

/// The other comparisons.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Release against chart, said in full: for a release that is named like one of these words
    Upgrade(Box<UpgradeArgs>),
    /// Two charts, without a cluster
    Charts(Box<ChartsArgs>),
    /// Live objects against a manifest
    Manifest(Box<ManifestArgs>),
    /// Two manifests, without a cluster
    Manifests(Box<ManifestsArgs>),
    /// Two stored revisions of a release
    Revision(Box<RevisionArgs>),
    /// Print the JSON Schema of -o json
    #[command(hide = true)]
    Schema,
    /// Answer helm's completion protocol
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete(CompleteArgs),
}

/// `helm cnidiff RELEASE CHART`
#[derive(Args, Clone, Debug)]
pub struct UpgradeArgs {
    /// Installed release
    #[arg(value_name = "RELEASE")]
    pub release: Option<String>,
    /// Chart to upgrade to: a folder, a .tgz, repo/name, oci:// or a URL
    #[arg(value_name = "CHART")]
    pub chart: Option<String>,
    /// Fetching.
    #[command(flatten)]
    pub fetch: FetchArgs,
    /// Values.
    #[command(flatten)]
    pub values: ValueArgs,
    /// Mode.
    #[command(flatten)]
    pub mode: ModeArgs,
    /// Rendering.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Compare the live objects of the cluster with what its API server would store of the target: each object is sent as
    /// a server-side apply dry-run, and nothing is stored
    #[arg(long, help_heading = "Rendering")]
    pub live: bool,
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `helm cnidiff charts OLD NEW`
#[derive(Args, Clone, Debug)]
pub struct ChartsArgs {
    /// Chart as it is
    #[arg(value_name = "OLD")]
    pub old: String,
    /// Chart to compare it with
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Name of the release in both renders (default: the new chart's name)
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Version of OLD, where it comes from a repository (--version is that of NEW)
    #[arg(long, value_name = "VERSION", help_heading = "Chart")]
    pub old_version: Option<String>,
    /// Fetching.
    #[command(flatten)]
    pub fetch: FetchArgs,
    /// Values.
    #[command(flatten)]
    pub values: ValueArgs,
    /// Rendering.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Connection: only the namespace counts.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `helm cnidiff manifest -f FILE`
#[derive(Args, Clone, Debug)]
pub struct ManifestArgs {
    /// Manifest to compare the live objects with; `-` is standard input; can be repeated
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `helm cnidiff manifests OLD NEW`
#[derive(Args, Clone, Debug)]
pub struct ManifestsArgs {
    /// Manifest as it is; `-` is standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Manifest to compare it with; `-` is standard input
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Connection: only the namespace counts.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `helm cnidiff revision RELEASE REVISION [REVISION]`
#[derive(Args, Clone, Debug)]
pub struct RevisionArgs {
    /// Installed release
    #[arg(value_name = "RELEASE")]
    pub release: String,
    /// Revision to start from
    #[arg(value_name = "FROM")]
    pub from: u64,
    /// Revision to compare it with (default: the newest one; put the older one here to see what a rollback does)
    #[arg(value_name = "TO")]
    pub to: Option<u64>,
    /// Leave hooks out
    #[arg(long, help_heading = "Rendering")]
    pub no_hooks: bool,
    /// Connection.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Where a chart comes from: as helm has them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Chart")]
pub struct FetchArgs {
    /// Version of the chart, or a range
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Also take development versions
    #[arg(long)]
    pub devel: bool,
    /// URL of the chart's repository
    #[arg(long, value_name = "URL")]
    pub repo: Option<String>,
    /// Verify the chart before it is used
    #[arg(long)]
    pub verify: bool,
    /// Public keys for --verify
    #[arg(long, value_name = "FILE")]
    pub keyring: Option<String>,
    /// Repository user name
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Repository password
    #[arg(long, value_name = "PASSWORD")]
    pub password: Option<String>,
    /// Pass the credentials to all domains
    #[arg(long)]
    pub pass_credentials: bool,
    /// CA bundle to verify the repository's certificate
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// Client certificate for the repository
    #[arg(long, value_name = "FILE")]
    pub cert_file: Option<String>,
    /// Key of the client certificate
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<String>,
    /// Do not verify the repository's certificate
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// Use HTTP for an OCI registry
    #[arg(long)]
    pub plain_http: bool,
}

/// What the user sets: as helm has them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Values")]
pub struct ValueArgs {
    /// Values file or URL; `-` is standard input; can be repeated
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub files: Vec<String>,
    /// Set a value: key1=val1,key2=val2
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
    /// Set a value that is a string
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set_string: Vec<String>,
    /// Set a value from JSON
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    pub set_json: Vec<String>,
    /// Set a value to the content of a file
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true)]
    pub set_file: Vec<String>,
    /// Set a value to the text as it stands
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    pub set_literal: Vec<String>,
}

impl ValueArgs {
    /// Whether no such flag was given.
    pub fn is_empty(&self) -> bool {
        [&self.files, &self.set, &self.set_string, &self.set_json, &self.set_file, &self.set_literal]
            .iter()
            .all(|list| list.is_empty())
    }
}

/// How values are inherited: as `helm upgrade` has them.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Values")]
pub struct ModeArgs {
    /// Start from the new chart's defaults; drop the release's own values
    #[arg(long)]
    pub reset_values: bool,
    /// Keep everything of the release, its old defaults too
    #[arg(long)]
    pub reuse_values: bool,
    /// Start from the new chart's defaults, then the release's own values
    #[arg(long)]
    pub reset_then_reuse_values: bool,
}

impl ModeArgs {
    /// The flags that were given, without dashes.
    pub fn flags(self) -> Vec<&'static str> {
        let all = [
            ("reset-values", self.reset_values),
            ("reuse-values", self.reuse_values),
            ("reset-then-reuse-values", self.reset_then_reuse_values),
        ];
        all.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect()
    }
}

/// What the templates are told.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rendering")]
pub struct RenderArgs {
    /// Kubernetes version the templates see (default: the cluster's)
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// API versions the templates see besides the cluster's; can be repeated
    #[arg(short = 'a', long, value_name = "GROUP/VERSION", value_delimiter = ',')]
    pub api_versions: Vec<String>,
    /// Leave hooks out
    #[arg(long)]
    pub no_hooks: bool,
    /// Do not validate values against the chart's schema
    #[arg(long)]
    pub skip_schema_validation: bool,
    /// Let templates look up names in the DNS
    #[arg(long)]
    pub enable_dns: bool,
    /// Program, or with Helm 4 plugin, that post-processes what was rendered
    #[arg(long, value_name = "NAME")]
    pub post_renderer: Option<String>,
    /// Argument for the post-renderer; can be repeated
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub post_renderer_args: Vec<String>,
}

/// What helm itself knows; hidden, because helm documents it.
#[derive(Args, Clone, Debug, Default)]
pub struct ConnectArgs {
    /// Namespace
    #[arg(short = 'n', long, value_name = "NAME", hide = true)]
    pub namespace: Option<String>,
    /// Path to the kubeconfig file
    #[arg(long, value_name = "FILE", hide = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context
    #[arg(long, value_name = "NAME", hide = true)]
    pub kube_context: Option<String>,
    /// Helm's client-side throttling; taken note of and not needed
    #[arg(long, value_name = "NUMBER", hide = true)]
    pub qps: Option<String>,
    /// Helm's client-side throttling; taken note of and not needed
    #[arg(long, value_name = "NUMBER", hide = true)]
    pub burst_limit: Option<String>,
    /// Helm's cache of charts
    #[arg(long, value_name = "DIR", hide = true)]
    pub content_cache: Option<PathBuf>,
    /// Helm's own verbosity
    #[arg(long, hide = true)]
    pub debug: bool,
}

/// What the report looks like.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Report")]
pub struct OutputArgs {
    /// Format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Format,
    /// Colours in plain output
    #[arg(long, alias = "colour", value_enum, value_name = "WHEN", default_value_t, num_args = 0..=1, require_equals = false, default_missing_value = "always")]
    pub color: Colour,
    /// Values alone
    #[arg(long, group = "parts")]
    pub values_only: bool,
    /// DaemonSets alone
    #[arg(long, group = "parts")]
    pub daemonsets_only: bool,
    /// Everything, nothing folded or shortened
    #[arg(long)]
    pub all: bool,
    /// List what was folded as noise, per rule
    #[arg(long)]
    pub show_noise: bool,
    /// Print secrets instead of a short hash
    #[arg(long)]
    pub show_secrets: bool,
    /// Most characters of markdown (60000), gitlab (900000) and jira (30000)
    #[arg(long, value_name = "NUMBER")]
    pub max_chars: Option<usize>,
    /// Folder with facts about CNIs that add to the built-in ones
    #[arg(long, value_name = "DIR")]
    pub facts: Option<PathBuf>,
    /// Exit with 1 when something differs
    #[arg(long)]
    pub exit_code: bool,
}

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Plain,
    /// GitHub.
    Markdown,
    /// GitLab.
    Gitlab,
    /// Jira's wiki markup.
    Jira,
    /// One self-contained page.
    Html,
    /// For programs.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    /// Even into a pipe.
    #[value(alias = "true", alias = "on")]
    Always,
    /// Not even on a terminal.
    #[value(alias = "false", alias = "off")]
    Never,
}

/// Options of `__complete`.
#[derive(Args, Clone, Debug)]
pub struct CompleteArgs {
    /// The words after `helm cnidiff`, the last one unfinished.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}
