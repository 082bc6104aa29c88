//! Lines out and in again, lines that must be refused, and random ones that must not hurt. The lines themselves are in `corpus/`.

extern crate std;

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::string::{String, ToString};
use std::vec::Vec;

use crate::exchange::{parse_request, parse_response};
use crate::{WireError, parse_output_line, parse_plan_line, text};

const PLAN: &str = include_str!("../corpus/plan.txt");
const OUTPUT: &str = include_str!("../corpus/output.txt");
const REQUEST: &str = include_str!("../corpus/request.txt");
const RESPONSE: &str = include_str!("../corpus/response.txt");
const REFUSED: &str = include_str!("../corpus/refused.txt");

/// What a line parses to is written, read again the same, and then written as before.
macro_rules! round_trip {
    ($lines:expr, $parse:path) => {
        assert!($lines.lines().count() > 2);
        for line in $lines.lines() {
            let parsed = $parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
            let again = parsed.to_string();
            assert_eq!($parse(again.as_bytes()), Ok(parsed), "{line} became {again}");
        }
    };
}

#[test]
fn lines_of_the_corpus_round_trip() {
    round_trip!(PLAN, parse_plan_line);
    round_trip!(OUTPUT, parse_output_line);
    round_trip!(REQUEST, parse_request);
    round_trip!(RESPONSE, parse_response);
}

#[test]
fn what_is_written_is_what_the_grammar_shows() {
    for line in [
        "cni-probe/1 plan timeout=2500 tries=2 gap=200 inflight=1024",
        "p 3 udp 10.0.0.1:18080 bytes=64 reply=64 timeout=100 tries=3 gap=5 after=1",
        "p 5 dns - name=kubernetes.default.svc.~ type=AAAA tcp=1",
        "p 7 http [fd00::1]:80 path=/x",
        "end",
        "# a comment, with  spaces",
    ] {
        assert_eq!(parse_plan_line(line.as_bytes()).map(|parsed| parsed.to_string()).as_deref(), Ok(line));
    }
    for line in [
        "cni-probe/1 start name=n0/client n=3 bad=1 nameserver=10.96.0.10 domain=cluster.local",
        "bad 7 invalid destination",
        "r 2 unreachable us=9 try=2 errno=113 icmp=3/13 from=10.0.0.2",
        "r 4 open us=1 try=1 rcode=0 tc=1 n=2 ans=10.0.0.1,fd00::1 to=10.96.0.10:53",
        "r 5 open us=1 try=1 rtt=40 retrans=0 http=200 src=10.0.0.9 name=n1/server",
        "cni-probe/1 end done=3 of=3 late=0",
        "cni-probe/1 serve name=n0/server",
        "seen udp n0/client",
    ] {
        assert_eq!(parse_output_line(line.as_bytes()).map(|parsed| parsed.to_string()).as_deref(), Ok(line));
    }
}

#[test]
fn refused_lines_of_the_corpus_are_refused_by_everyone() {
    for line in REFUSED.lines() {
        let bytes = line.as_bytes();
        assert!(parse_plan_line(bytes).is_err(), "plan: {line}");
        assert!(parse_output_line(bytes).is_err(), "output: {line}");
        assert!(parse_request(bytes).is_err(), "request: {line}");
        assert!(parse_response(bytes).is_err(), "response: {line}");
    }
}

#[test]
fn another_version_is_said_to_be_one_by_everyone() {
    let line = b"cni-probe/2 tcp 1 a";
    assert_eq!(parse_plan_line(line), Err(WireError::Version));
    assert_eq!(parse_output_line(line), Err(WireError::Version));
    assert_eq!(parse_request(line), Err(WireError::Version));
    assert_eq!(parse_response(line), Err(WireError::Version));
    assert_eq!(WireError::Version.to_string(), "another version of the grammar; this side speaks cni-probe/1");
}

/// Ours are written without `core::fmt`; the standard library is the judge.
#[test]
fn addresses_and_numbers_are_written_as_the_standard_library_does() {
    let mut random = generator();
    for _ in 0..200_000 {
        // Few distinct segments, so that runs of zeros are common.
        let segments: [u16; 8] =
            core::array::from_fn(|_| [0, 0, 0, 1, 0xa0, 0xffff, 0xfe80, random(65_536) as u16][random(8)]);
        let v6 = Ipv6Addr::from(segments);
        let mapped = Ipv6Addr::from([0, 0, 0, 0, 0, 0xffff, segments[6], segments[7]]);
        let v4 = IpAddr::from([random(256) as u8, random(256) as u8, random(256) as u8, random(256) as u8]);
        for address in [IpAddr::V6(v6), IpAddr::V6(mapped), v4] {
            let to = SocketAddr::new(address, random(65_536) as u16);
            let mut ours = String::new();
            text::socket(&mut |piece| ours.push_str(piece), &to);
            assert_eq!(ours, to.to_string());
        }
    }
    for number in [0, 1, 9, 10, 19, 1_000_000_007, u64::MAX] {
        let mut ours = String::new();
        text::number(&mut |piece| ours.push_str(piece), number);
        assert_eq!(ours, number.to_string());
    }
}

/// Numbers below a bound, the same ones each time.
fn generator() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
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
    let mut random = generator();
    let all: Vec<&str> = [PLAN, OUTPUT, REQUEST, RESPONSE, REFUSED].iter().flat_map(|text| text.lines()).collect();
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
                    line.extend_from_slice(&other[random(other.len() + 1)..]);
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
        if let Ok(parsed) = parse_request(&line) {
            accepted += 1;
            assert_eq!(parse_request(parsed.to_string().as_bytes()), Ok(parsed));
        }
        if let Ok(parsed) = parse_response(&line) {
            accepted += 1;
            assert_eq!(parse_response(parsed.to_string().as_bytes()), Ok(parsed));
        }
    }
    assert!(accepted > 10_000, "only {accepted} lines were accepted: the mutations are too harsh to test anything");
}
