//! Ways to a cluster that a kubeconfig describes: exec plugins, proxies, another name in the certificate. The cluster is
//! a socket on loopback that notes what it is asked and knows of no object.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::Folder;
use crate::program::{Run, helm, run};

/// Address of a server that answers every request with 404, and the heads of the requests.
fn server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, heads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, sender) = (stream.unwrap(), sender.clone());
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut head = String::new();
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        break;
                    }
                    head.push_str(&line);
                    head.push('\n');
                }
                let body = r#"{"kind": "Status", "message": "not here"}"#;
                let answer = format!(
                    "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
                let _ = sender.send(head);
            });
        }
    });
    (address, heads)
}

/// Asks for a revision with the kubeconfig's cluster and user.
fn asks(folder: &Folder, cluster: &str, user: &str) -> Run {
    let text = format!(
        "current-context: here\ncontexts:\n- {{name: here, context: {{cluster: c, user: u}}}}\nclusters:\n- name: c\n  cluster: {cluster}\nusers:\n- name: u\n  user: {user}\n"
    );
    let config = folder.write("config", text);
    let program = helm(folder, "true");
    run(&["revision", "cilium", "1"], &[("HELM_BIN", program.as_str()), ("KUBECONFIG", config.to_str().unwrap())])
}

fn script(folder: &Folder, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn head(heads: &Receiver<String>) -> String {
    heads.recv_timeout(Duration::from_secs(20)).expect("the server is asked").to_lowercase()
}

#[test]
fn an_exec_plugin_hands_out_the_token() {
    let folder = Folder::new("exec");
    let (address, heads) = server();
    let credential = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "'$1-$EXTRA'"}}"#;
    // It stands beside the kubeconfig, and is told of the cluster.
    script(
        &folder,
        "bin/login",
        &format!("echo \"$KUBERNETES_EXEC_INFO\" > \"$(dirname \"$0\")/info\"\necho '{credential}'"),
    );
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [tok], env: [{name: EXTRA, value: en}], provideClusterInfo: true}}";
    asks(&folder, &format!("{{server: 'http://{address}'}}"), user).could_not(&["not here"]);
    let head = head(&heads);
    assert!(head.contains("authorization: bearer tok-en"), "{head}");
    let info: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("bin/info")).unwrap()).unwrap();
    assert_eq!(info["kind"], "ExecCredential");
    assert_eq!(info["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["spec"]["cluster"]["server"], format!("http://{address}"));
}

#[test]
fn an_exec_plugin_that_fails_is_told_and_nothing_is_asked() {
    let folder = Folder::new("exec-fails");
    let (address, heads) = server();
    let cluster = format!("{{server: 'http://{address}'}}");
    script(&folder, "no", "exit 3");
    script(&folder, "odd", "echo hello");
    let user = |command: &str| format!("{{exec: {{apiVersion: v1, command: {command}, installHint: get it there}}}}");
    asks(&folder, &cluster, &user("./no")).could_not_in_one_line(&[
        "context here",
        "no, which logs in",
        "log in again",
    ]);
    asks(&folder, &cluster, &user("./odd")).could_not_in_one_line(&["context here", "odd printed"]);
    asks(&folder, &cluster, &user("./missing")).could_not_in_one_line(&["cannot start", "missing", "get it there"]);
    assert!(heads.try_recv().is_err(), "nobody is asked without credentials");
}

#[test]
fn a_proxy_of_the_cluster_is_gone_through() {
    let folder = Folder::new("proxy");
    let (proxy, heads) = server();
    // Nobody answers at the cluster's own address.
    let cluster = format!("{{server: 'http://127.0.0.1:1', proxy-url: 'http://{proxy}'}}");
    asks(&folder, &cluster, "{token: t}").could_not(&[]);
    let head = head(&heads);
    assert!(head.contains("127.0.0.1:1"), "the proxy is told where to: {head}");
    asks(&folder, "{server: 'http://127.0.0.1:1', proxy-url: 'nonsense://x'}", "{}")
        .could_not_in_one_line(&["proxy-url nonsense://x"]);
}

#[test]
fn the_servers_name_may_be_another_than_its_address() {
    let folder = Folder::new("server-name");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let hello = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).unwrap();
        hello.truncate(length);
        hello
    });
    // The address is dialled, and the name is what TLS asks for.
    let cluster =
        format!("{{server: 'https://{address}', tls-server-name: api.inside.example, insecure-skip-tls-verify: true}}");
    asks(&folder, &cluster, "{}").could_not(&[]);
    let hello = hello.join().unwrap();
    let name = b"api.inside.example";
    assert!(hello.windows(name.len()).any(|window| window == name), "{:?}", String::from_utf8_lossy(&hello));
    let cluster = "{server: 'https://nowhere.invalid', tls-server-name: api.inside.example}";
    asks(&folder, cluster, "{}").could_not(&["context here"]);
}
