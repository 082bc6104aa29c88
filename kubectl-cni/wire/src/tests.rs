//! Lines out and in again, lines that must be refused, and random ones that must not hurt.

extern crate std;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use crate::exchange::{parse_request, parse_response};
use crate::{WireError, parse_output_line, parse_plan_line};

const PLAN: &[&str] = &[
    "cni-probe/1 plan timeout=2500 tries=2 gap=200 inflight=1024",
    "p 1 connect 10.0.0.1:443",
    "p 2 tcp [fd00::1]:18080 bytes=65536",
    "p 3 udp 10.0.0.1:18080 bytes=64 reply=64 timeout=100 tries=3 gap=5 after=1",
    "p 4 pmtu 10.0.0.1:18080",
    "p 5 dns - name=kubernetes.default.svc.~ type=AAAA tcp=1",
    "p 6 dns 10.96.0.10:53 name=a.example type=A",
    "p 7 http 10.0.0.1:80 path=/x",
    "p 8 sctp 10.0.0.1:80",
    "# a comment, with  spaces",
    "end",
];

const OUTPUT: &[&str] = &[
    "cni-probe/1 start name=n0/client n=3 bad=1 nameserver=10.96.0.10 domain=cluster.local",
    "bad 7 invalid destination",
    "r 1 open us=12 try=1 rtt=40 retrans=0",
    "r 2 unreachable us=9 try=2 errno=113 icmp=3/13 from=10.0.0.2",
    "r 3 timeout us=2500000 try=2 got=100 mtu=1450 largest=1400 why=echo",
    "r 4 open us=1 try=1 rcode=0 n=2 ans=10.0.0.1,fd00::1 to=10.96.0.10:53",
    "r 5 open us=1 try=1 http=200 src=10.0.0.9 name=n1/server",
    "cni-probe/1 end done=3 of=3 late=0",
    "cni-probe/1 serve name=n0/server",
    "seen udp n0/client",
];

#[test]
fn plan_lines_round_trip() {
    for line in PLAN {
        let parsed = parse_plan_line(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(parsed.to_string(), *line);
    }
}

#[test]
fn output_lines_round_trip() {
    for line in OUTPUT {
        let parsed = parse_output_line(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let again = parsed.to_string();
        assert_eq!(parse_output_line(again.as_bytes()), Ok(parsed), "{line} became {again}");
    }
}

#[test]
fn exchanges_round_trip() {
    for line in ["cni-probe/1 tcp 65536 n0/client", "cni-probe/1 udp 18446744073709551615 64 n0/client"] {
        assert_eq!(parse_request(line.as_bytes()).map(|request| request.to_string()).as_deref(), Ok(line));
    }
    for line in ["cni-probe/1 tcp 65536 n0/server 10.0.0.1", "cni-probe/1 udp 7 1422 n0/server fd00::1"] {
        assert_eq!(parse_response(line.as_bytes()).map(|response| response.to_string()).as_deref(), Ok(line));
    }
}

#[test]
fn malformed_lines_are_refused_with_the_reason() {
    let cases: &[(&str, WireError)] = &[
        ("", WireError::Empty),
        ("p  1 connect 10.0.0.1:1", WireError::Spacing),
        ("p 1\tconnect 10.0.0.1:1", WireError::NotPrintable),
        ("q 1", WireError::UnknownLine),
        ("cni-probe/2 plan timeout=1", WireError::Version),
        ("p 1 smoke 10.0.0.1:1", WireError::UnknownKind),
        ("p x connect 10.0.0.1:1", WireError::Invalid("id")),
        ("p 4294967296 connect 10.0.0.1:1", WireError::Invalid("id")),
        ("p 1 connect example.com:1", WireError::Invalid("destination")),
        ("p 1 connect -", WireError::Invalid("destination")),
        ("p 1 tcp 10.0.0.1:1 bytes", WireError::NotKeyValue),
        ("p 1 tcp 10.0.0.1:1 bytes=1 bytes=2", WireError::Twice("bytes")),
        ("p 1 tcp 10.0.0.1:1 bytes=99999999", WireError::Invalid("bytes")),
        ("p 1 dns - type=A", WireError::Missing("name")),
        ("p 1 dns - name=a..b type=A", WireError::Invalid("name")),
        ("p 1 connect 10.0.0.1:1 timeout=0", WireError::Invalid("timeout")),
        ("end now", WireError::Trailing),
    ];
    for (line, reason) in cases {
        assert_eq!(parse_plan_line(line.as_bytes()), Err(*reason), "{line:?}");
    }
    assert_eq!(parse_plan_line(&[b'a'; 2000]), Err(WireError::TooLong));
    for (line, reason) in [
        ("r 1 maybe us=1 try=1", WireError::Invalid("outcome")),
        ("r 1 open try=1", WireError::Missing("us")),
        ("r 1 open us=1 try=1 icmp=3", WireError::Invalid("icmp")),
        ("r 1 open us=1 try=1 name=a,b", WireError::Invalid("name")),
        ("seen quic a", WireError::Invalid("protocol")),
        ("cni-probe/1 end of=1", WireError::Missing("done")),
    ] {
        assert_eq!(parse_output_line(line.as_bytes()), Err(reason), "{line:?}");
    }
}

/// Mutated and random lines, the same ones each time: nothing panics, and what parses is the same after being written and read again.
#[test]
fn random_lines_do_no_harm() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let all: Vec<&str> = PLAN.iter().chain(OUTPUT).copied().collect();
    let mut accepted = 0;
    for _ in 0..200_000 {
        let mut line = all[random(all.len())].as_bytes().to_vec();
        for _ in 0..random(4) {
            match random(4) {
                0 if !line.is_empty() => {
                    let at = random(line.len());
                    line[at] = random(256) as u8;
                }
                1 if !line.is_empty() => {
                    line.remove(random(line.len()));
                }
                2 => line.insert(random(line.len() + 1), b" =/.:~0r"[random(8)]),
                _ => {
                    let other = all[random(all.len())].as_bytes();
                    line.extend_from_slice(&other[random(other.len())..]);
                }
            }
        }
        if let Ok(parsed) = parse_plan_line(&line) {
            accepted += 1;
            let text = parsed.to_string();
            assert_eq!(parse_plan_line(text.as_bytes()), Ok(parsed), "{}", String::from_utf8_lossy(&line));
        }
        if let Ok(parsed) = parse_output_line(&line) {
            accepted += 1;
            let text = parsed.to_string();
            assert_eq!(parse_output_line(text.as_bytes()), Ok(parsed), "{}", String::from_utf8_lossy(&line));
        }
        let _ = parse_request(&line).map(|request| format!("{request}"));
        let _ = parse_response(&line).map(|response| format!("{response}"));
    }
    assert!(accepted > 10_000, "only {accepted} lines were accepted: the mutations are too harsh to test anything");
}
