//! One client's connection: its header, then an echo with bounded memory, or one HTTP answer.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::out::append;
use crate::sys::{self, Fd};
use wire::Protocol;
use wire::exchange::{MAX_HEADER, Request, Response, parse_request};

/// Bytes read at once. No more are read before they are sent, so that with its header this is all that a connection holds: 16 KiB.
pub const PIECE: usize = 15 << 10;

/// A client's connection.
pub struct Connection {
    pub fd: Fd,
    pub peer: IpAddr,
    /// Header bytes until the line is complete.
    pub header: Vec<u8>,
    /// Echo bytes still to come; `None` before the header.
    pub left: Option<u64>,
    /// Waiting to be sent.
    pub pending: Vec<u8>,
    pub sent: usize,
    /// Close when everything is sent.
    pub closing: bool,
    pub watching: u32,
    pub last: u64,
}

/// What bytes from a client meant.
pub enum Taken {
    More,
    Client(Box<str>),
    Broken,
}

impl Connection {
    /// Takes what a client sent.
    pub fn take(&mut self, bytes: &[u8], own_name: &str) -> Taken {
        if self.closing {
            return Taken::More; // the rest of an HTTP request
        }
        if let Some(left) = self.left {
            let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.pending.extend_from_slice(&bytes[..count]);
            self.left = Some(left - count as u64);
            return if count == bytes.len() { Taken::More } else { Taken::Broken };
        }
        self.header.extend_from_slice(bytes);
        let Some(end) = self.header.iter().position(|byte| *byte == b'\n') else {
            return if self.header.len() > 16 * MAX_HEADER { Taken::Broken } else { Taken::More };
        };
        if self.header.starts_with(b"GET ") {
            // Answered when the request is complete: closing on bytes unread would reset the connection. HTTP/1.0 ends with it.
            if !self.header.ends_with(b"\n\r\n") && !self.header.ends_with(b"\n\n") {
                return if self.header.len() > 16 * MAX_HEADER { Taken::Broken } else { Taken::More };
            }
            for piece in ["HTTP/1.0 200 OK\r\n\r\n", own_name, "\n"] {
                self.pending.extend_from_slice(piece.as_bytes());
            }
            self.closing = true;
            return Taken::More;
        }
        let header = core::mem::take(&mut self.header);
        let Ok(Request { protocol: Protocol::Tcp, number, name, .. }) = parse_request(&header[..end]) else {
            return Taken::Broken;
        };
        let response = Response { protocol: Protocol::Tcp, number, received: 0, name: own_name, source: self.peer };
        append(&mut self.pending, &response);
        self.pending.push(b'\n');
        self.left = Some(number);
        match self.take(&header[end + 1..], own_name) {
            Taken::Broken => Taken::Broken,
            _ => Taken::Client(Box::from(name)),
        }
    }

    /// Whether something is still to be sent.
    pub fn waiting(&self) -> bool {
        self.sent < self.pending.len()
    }

    /// Sends what the socket takes; false when the peer is gone.
    pub fn flush(&mut self) -> bool {
        while self.waiting() {
            match sys::send(&self.fd, &self.pending[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(sys::EAGAIN | sys::EINTR) => return true,
                Err(_) => return false,
            }
        }
        self.pending = Vec::new();
        self.sent = 0;
        true
    }
}
