//! Plans in, agents' answers out, by exec or by pod log.

use std::net::IpAddr;
use std::time::Duration;

use cni_probe_wire::{Line, parse_output_line};
use futures::AsyncBufReadExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams, LogParams};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::call::{Call, CallError};
use super::connect::Cluster;
use crate::probe::manifests::AGENT_PATH;
use crate::probe::observe::{AgentRun, Observation, Outcome};
use crate::snapshot::{AgentAnswer, Missing};

/// Sends a plan to one agent and reads its results. `bound` is on the whole exchange. What was read before a cut is kept.
///
/// # Errors
///
/// The exec was refused, before anything was sent.
pub(crate) async fn exec_plan(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    name: &str,
    plan: &str,
    bound: Duration,
) -> Result<AgentRun, CallError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let params = AttachParams::default()
        .stdin(true)
        .stdout(true)
        .stderr(false)
        .max_stdin_buf_size(64 << 10)
        .max_stdout_buf_size(64 << 10);
    let command = [AGENT_PATH, "probe", &format!("name={name}")].map(str::to_owned);
    let call = Call {
        verb: "create",
        resource: "pods/exec".to_owned(),
        namespace: namespace.to_owned(),
        timeout: cluster.request_timeout.min(bound),
    };
    let mut process = call.run(|| api.exec(pod, command.clone(), &params)).await?;
    let mut run = AgentRun::default();
    let (Some(mut stdin), Some(mut stdout)) = (process.stdin(), process.stdout()) else {
        run.trouble = Some("exec gave no streams".to_owned());
        return Ok(run);
    };
    let exchange = async {
        let send = async {
            stdin.write_all(plan.as_bytes()).await?;
            stdin.flush().await
        };
        let receive = async {
            let mut reader = Lines::default();
            let mut buffer = vec![0; 16 << 10];
            loop {
                let count = stdout.read(&mut buffer).await?;
                if count == 0 || reader.take(&buffer[..count], &mut run) {
                    return Ok::<(), std::io::Error>(());
                }
            }
        };
        tokio::try_join!(send, receive)
    };
    match timeout(bound, exchange).await {
        Ok(Ok(_)) if run.complete => {}
        Ok(Ok(_)) => {
            run.trouble = Some(run.trouble.take().unwrap_or_else(|| "the agent's answer ended early".to_owned()))
        }
        Ok(Err(error)) => run.trouble = Some(format!("exec connection: {error}")),
        Err(_) => run.trouble = Some(format!("no complete answer from the agent within {} s", bound.as_secs())),
    }
    Ok(run)
}

/// Runs a command in a container. Its output is kept up to 1 MiB of each stream.
///
/// # Errors
///
/// The exec was refused.
pub(crate) async fn exec_answer(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    command: &[String],
    bound: Duration,
) -> Result<AgentAnswer, CallError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let params = AttachParams::default()
        .container(container)
        .stdin(false)
        .stdout(true)
        .stderr(true)
        .max_stdout_buf_size(64 << 10);
    let call = Call {
        verb: "create",
        resource: "pods/exec".to_owned(),
        namespace: namespace.to_owned(),
        timeout: cluster.request_timeout.min(bound),
    };
    let mut process = call.run(|| api.exec(pod, command.to_vec(), &params)).await?;
    let (stdout, stderr, status) = (process.stdout(), process.stderr(), process.take_status());
    let finished = timeout(bound, async {
        let (out, err) = tokio::join!(read_all(stdout), read_all(stderr));
        let status = match status {
            Some(status) => status.await,
            None => None,
        };
        (if out.trim().is_empty() { err } else { out }, status)
    });
    let shown = command.join(" ");
    let failed = |why: String| CallError::Missing(Missing::Failed(format!("`{shown}` in {pod}: {why}")));
    match finished.await {
        Err(_) => Err(failed(format!("did not end within {} s", bound.as_secs()))),
        Ok((_, None)) => Err(failed("the connection ended before the command".to_owned())),
        Ok((output, Some(status))) => {
            let (exit, message) = exit_of(&status).map_err(failed)?;
            let output = if exit.is_none() { message } else { output };
            Ok(AgentAnswer { command: command.to_vec(), exit, output })
        }
    }
}

async fn read_all(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    const MOST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(MOST).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The exit status from how an exec ended: `None` when the container has no such program. With the message that came along.
fn exit_of(status: &Status) -> Result<(Option<i32>, String), String> {
    if status.status.as_deref() == Some("Success") {
        return Ok((Some(0), String::new()));
    }
    let message = status.message.clone().unwrap_or_default();
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let code = causes
        .filter(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .find_map(|cause| cause.message.as_deref()?.parse::<i32>().ok());
    match code {
        // 126 and 127 are the shell's words for a program that cannot be run or is not there.
        Some(126 | 127) => Ok((None, message)),
        Some(code) => Ok((Some(code), message)),
        None if message.contains("executable file not found") || message.contains("no such file or directory") => {
            Ok((None, message))
        }
        None => Err(message),
    }
}

/// Reads an agent's log until its results are complete, at most `bound` long.
///
/// # Errors
///
/// The log may not be read.
pub(crate) async fn pod_log(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    follow: bool,
    bound: Duration,
) -> Result<(AgentRun, Vec<String>), CallError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let call = Call {
        verb: "get",
        resource: "pods/log".to_owned(),
        namespace: namespace.to_owned(),
        timeout: cluster.request_timeout.min(bound),
    };
    let params = LogParams { follow, ..LogParams::default() };
    let stream = call.run(|| api.log_stream(pod, &params)).await?;
    let mut lines = Box::pin(stream).lines();
    let mut run = AgentRun::default();
    let mut seen = Vec::new();
    let mut reader = Lines::default();
    let read = async {
        while let Some(Ok(line)) = futures::StreamExt::next(&mut lines).await {
            if let Ok(Line::Seen { protocol: cni_probe_wire::Protocol::Udp, name }) = parse_output_line(line.as_bytes())
            {
                seen.push(name.to_owned());
            }
            if reader.take(format!("{line}\n").as_bytes(), &mut run) && follow {
                break;
            }
        }
    };
    if timeout(bound, read).await.is_err() || (follow && !run.complete) {
        run.trouble = Some(format!("the agent's log had no complete answer within {} s", bound.as_secs()));
    }
    Ok((run, seen))
}

/// Cuts bytes into lines and adds what they say to a run.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// True once the closing line was seen.
    fn take(&mut self, bytes: &[u8], run: &mut AgentRun) -> bool {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            read_line(String::from_utf8_lossy(&line).trim_end(), run);
        }
        run.complete
    }
}

fn read_line(text: &str, run: &mut AgentRun) {
    match parse_output_line(text.as_bytes()) {
        Ok(Line::Start { nameserver, domain, .. }) => {
            run.nameserver = nameserver;
            run.domain = domain.map(str::to_owned);
        }
        Ok(Line::Result(result)) => run.observations.push(observation(&result)),
        Ok(Line::Bad { line, why }) => run.trouble = Some(format!("the agent refused plan line {line}: {why}")),
        Ok(Line::End { late, .. }) => {
            run.late_ms = late;
            run.complete = true;
        }
        Ok(_) => {}
        Err(error) => run.trouble = Some(format!("unreadable line from the agent: {error}")),
    }
}

fn observation(result: &cni_probe_wire::ResultLine<'_>) -> Observation {
    let detail = &result.detail;
    Observation {
        id: result.id,
        outcome: match result.outcome {
            cni_probe_wire::Outcome::Open => Outcome::Open,
            cni_probe_wire::Outcome::Refused => Outcome::Refused,
            cni_probe_wire::Outcome::Unreachable => Outcome::Unreachable,
            cni_probe_wire::Outcome::Timeout => Outcome::Timeout,
            cni_probe_wire::Outcome::Unsupported => Outcome::Unsupported,
            cni_probe_wire::Outcome::Error => Outcome::Error,
        },
        us: result.us,
        tries: u8::try_from(result.tries).unwrap_or(u8::MAX),
        rtt_us: detail.rtt,
        retrans: detail.retrans,
        icmp: detail.icmp.as_ref().map(|icmp| (icmp.kind, icmp.code)),
        from: detail.from,
        why: detail.why.map(|why| why.to_string()),
        name: detail.name.map(str::to_owned),
        src: detail.src,
        mtu: detail.mtu,
        largest: detail.largest,
        rcode: detail.rcode,
        answers: detail.ans.iter().collect::<Vec<IpAddr>>(),
        answer_count: detail.n,
    }
}
