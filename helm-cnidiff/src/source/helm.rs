//! `$HELM_BIN`: what only helm can do. It reads -f and --set, fetches charts and renders templates; nothing of that is
//! done a second time here.

use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};

use super::scratch::Scratch;
use crate::cli::{FetchArgs, RenderArgs, ValueArgs};
use crate::inherit::NullDefaults;

/// Oldest version that has all the flags used here.
const OLDEST: Version = Version { major: 3, minor: 14, patch: 0 };

/// The helm that called us.
#[derive(Debug, Clone)]
pub struct Helm {
    program: OsString,
}

/// Version of helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 3 or 4.
    pub major: u64,
    /// Minor.
    pub minor: u64,
    /// Patch.
    pub patch: u64,
}

impl Version {
    /// Reads `v3.22.0`, with or without what follows a `-` or `+`.
    pub fn parse(text: &str) -> Option<Self> {
        let core = text.trim().trim_start_matches('v').split(['-', '+', ' ']).next()?;
        let mut parts = core.split('.').map(str::parse::<u64>);
        let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
        Some(Self { major, minor, patch: parts.next().and_then(Result::ok).unwrap_or(0) })
    }

    /// What this helm does with a `null` among a chart's defaults.
    pub fn null_defaults(self) -> NullDefaults {
        if (self.major, self.minor) >= (4, 2) { NullDefaults::Dropped } else { NullDefaults::Kept }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// One `helm template`.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    /// Name of the release.
    pub release: &'a str,
    /// Namespace of the release.
    pub namespace: &'a str,
    /// The chart, on disk.
    pub chart: &'a Path,
    /// What the user typed.
    pub render: &'a RenderArgs,
    /// Kubernetes version of the cluster, where there is one and the user did not say.
    pub kube_version: Option<&'a str>,
    /// API versions of the cluster.
    pub api_versions: &'a [String],
    /// The release exists already.
    pub is_upgrade: bool,
}

/// Values for one `helm template`.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// As the user typed them; standard input was read already.
    Typed(&'a ValueArgs, Option<&'a [u8]>),
    /// As they were computed.
    Computed(&'a Map<String, Value>),
}

impl Helm {
    /// The helm that runs this plugin.
    pub fn find() -> Result<Helm> {
        match std::env::var_os("HELM_BIN") {
            Some(program) if !program.is_empty() => Ok(Helm { program }),
            _ => bail!(
                "HELM_BIN is not set, so there is no helm to ask: run this as `helm cnidiff …`, or set HELM_BIN=helm"
            ),
        }
    }

    fn command(&self) -> Command {
        Command::new(&self.program)
    }

    fn run(&self, mut command: Command, input: Option<&[u8]>) -> Result<String> {
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let program = self.program.to_string_lossy();
            anyhow!("cannot start {program} (from HELM_BIN): {error}; is helm installed and on PATH?")
        })?;
        let output = std::thread::scope(|scope| {
            if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
                // On a thread of its own: helm may begin to answer before it has read everything. A helm that ends
                // early says why itself.
                scope.spawn(move || {
                    let _ = pipe.write_all(input);
                });
            }
            child.wait_with_output()
        })
        .context("waiting for helm")?;
        if !output.status.success() {
            bail!("{}", message(&output.stderr));
        }
        String::from_utf8(output.stdout).map_err(|_| anyhow!("helm printed something that is not UTF-8"))
    }

    /// Its version; an error where it is too old.
    pub fn version(&self) -> Result<Version> {
        let mut command = self.command();
        command.args(["version", "--template", "{{.Version}}"]);
        self.check(&self.run(command, None)?)
    }

    fn check(&self, text: &str) -> Result<Version> {
        let version = Version::parse(text).with_context(|| format!("helm says that its version is {text:?}"))?;
        if version < OLDEST {
            bail!("helm is {version}; {OLDEST} or newer is needed (set HELM_BIN to a newer one)");
        }
        Ok(version)
    }

    /// What -f, --set and their kin come to, read by helm itself: it renders a chart that has no values of its own and
    /// prints what it was given. Its version comes with it.
    pub fn typed_values(&self, values: &ValueArgs, stdin: Option<&[u8]>) -> Result<(Map<String, Value>, Version)> {
        let scratch = Scratch::new()?;
        scratch.write("Chart.yaml", b"apiVersion: v2\nname: values\nversion: 0.0.0\n")?;
        let template = "values: {{ toJson .Values | quote }}\nhelm: {{ .Capabilities.HelmVersion.Version | quote }}\n";
        scratch.write("templates/values.yaml", template.as_bytes())?;
        let mut command = self.command();
        command.args(["template", "values"]).arg(scratch.path());
        typed(&mut command, values);
        let printed = self.run(command, stdin)?;
        let field = |name: &str| {
            let map = crate::yaml::read_map(printed.as_bytes()).ok()?.0;
            map.get(name).and_then(Value::as_str).map(str::to_owned)
        };
        let odd = || anyhow!("helm printed values in a form that is not understood");
        let version = self.check(&field("helm").ok_or_else(odd)?)?;
        let map = serde_json::from_str(&field("values").ok_or_else(odd)?).map_err(|_| odd())?;
        Ok((map, version))
    }

    /// Renders a chart.
    pub fn template(&self, template: &Template<'_>, values: Values<'_>) -> Result<String> {
        let mut command = self.command();
        command.args(["template", template.release]).arg(template.chart).args(["--namespace", template.namespace]);
        let render = template.render;
        if template.is_upgrade {
            command.arg("--is-upgrade");
        }
        if let Some(version) = render.kube_version.as_deref().or(template.kube_version) {
            command.args(["--kube-version", version]);
        }
        for versions in template.api_versions.chunks(64).chain(render.api_versions.chunks(64)) {
            command.arg("--api-versions").arg(versions.join(","));
        }
        for (flag, set) in [
            ("--no-hooks", render.no_hooks),
            ("--skip-schema-validation", render.skip_schema_validation),
            ("--enable-dns", render.enable_dns),
        ] {
            if set {
                command.arg(flag);
            }
        }
        if let Some(name) = &render.post_renderer {
            command.args(["--post-renderer", name]);
        }
        for argument in &render.post_renderer_args {
            command.arg(format!("--post-renderer-args={argument}"));
        }
        match values {
            Values::Typed(values, stdin) => {
                typed(&mut command, values);
                self.run(command, stdin)
            }
            Values::Computed(values) => {
                command.args(["--values", "-"]);
                self.run(command, Some(Value::Object(values.clone()).to_string().as_bytes()))
            }
        }
    }

    /// Fetches a chart into a folder and says where it is.
    pub(super) fn pull(&self, chart: &str, fetch: &FetchArgs, folder: &Path) -> Result<PathBuf> {
        let mut command = self.command();
        command.arg("pull").arg(chart).arg("--destination").arg(folder);
        let texts = [
            ("--version", &fetch.version),
            ("--repo", &fetch.repo),
            ("--keyring", &fetch.keyring),
            ("--username", &fetch.username),
            ("--password", &fetch.password),
            ("--ca-file", &fetch.ca_file),
            ("--cert-file", &fetch.cert_file),
            ("--key-file", &fetch.key_file),
        ];
        for (flag, text) in texts {
            if let Some(text) = text {
                command.args([flag, text]);
            }
        }
        let switches = [
            ("--devel", fetch.devel),
            ("--verify", fetch.verify),
            ("--pass-credentials", fetch.pass_credentials),
            ("--insecure-skip-tls-verify", fetch.insecure_skip_tls_verify),
            ("--plain-http", fetch.plain_http),
        ];
        for (flag, set) in switches {
            if set {
                command.arg(flag);
            }
        }
        self.run(command, None)?;
        let entries = std::fs::read_dir(folder).context("reading what helm fetched")?;
        let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        paths
            .find(|path| path.extension().is_some_and(|end| end == "tgz"))
            .with_context(|| format!("helm pull {chart} fetched nothing"))
    }
}

fn typed(command: &mut Command, values: &ValueArgs) {
    let flags = [
        ("--values", &values.files),
        ("--set", &values.set),
        ("--set-string", &values.set_string),
        ("--set-json", &values.set_json),
        ("--set-file", &values.set_file),
        ("--set-literal", &values.set_literal),
    ];
    for (flag, texts) in flags {
        for text in texts {
            command.arg(format!("{flag}={text}"));
        }
    }
}

/// What helm says of a failure, without what it warns of besides.
fn message(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let from = text.find("Error: ").map_or(0, |at| at + "Error: ".len());
    let text = text[from..].trim();
    let text = text.strip_suffix("Use --debug flag to render out invalid YAML").unwrap_or(text).trim();
    if text.is_empty() { "helm failed without a word".to_owned() } else { format!("helm: {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        let version = |text| Version::parse(text).unwrap();
        assert_eq!(version("v3.22.0"), Version { major: 3, minor: 22, patch: 0 });
        assert_eq!(version("v4.0.0-rc.1+g123").to_string(), "v4.0.0");
        assert!(version("v3.14.0") >= OLDEST && version("v3.13.3") < OLDEST && version("v4.0") > OLDEST);
        assert_eq!(version("v4.1.9").null_defaults(), NullDefaults::Kept);
        assert_eq!(version("v4.2.0").null_defaults(), NullDefaults::Dropped);
        assert_eq!(Version::parse("helm"), None);
    }

    #[test]
    fn helms_own_message_is_kept_and_its_hints_are_not() {
        let stderr = b"WARNING: kubeconfig is readable\nError: execution error at (c/templates/v.yaml:1:3): no\n\nUse --debug flag to render out invalid YAML\n";
        assert_eq!(message(stderr), "helm: execution error at (c/templates/v.yaml:1:3): no");
        assert_eq!(message(b""), "helm failed without a word");
    }
}
