//! Lines to a descriptor. A reader that is slow never holds the agent up: what it does not take waits here, and whoever adds lines looks at
//! how much that is.

use alloc::vec::Vec;

use crate::sys::{self, Fd};
use wire::text::Text;

/// A pipe that polls as writable takes this much without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;
/// How long a slow reader is waited for once the agent was told to stop, in milliseconds.
const GRACE: u64 = 2_000;

/// A queue of lines in front of a descriptor. The descriptor itself stays blocking: it is shared with other programs.
pub struct Out {
    fd: Fd,
    bytes: Vec<u8>,
    written: usize,
}

/// Appends the text of a value.
#[inline(never)]
pub fn append(bytes: &mut Vec<u8>, value: &dyn Text) {
    value.write(&mut |piece| bytes.extend_from_slice(piece.as_bytes()));
}

impl Out {
    pub fn stdout() -> Out {
        Out { fd: sys::STDOUT, bytes: Vec::new(), written: 0 }
    }

    /// Queues one line.
    pub fn line(&mut self, line: &dyn Text) {
        append(&mut self.bytes, line);
        self.bytes.push(b'\n');
    }

    /// Bytes that the reader has not taken yet.
    pub fn waiting(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Writes what the reader takes at once. A reader that has gone ends the program: nobody is left to answer to.
    #[inline(never)]
    pub fn flush(&mut self) {
        while self.waiting() > 0 && sys::poll(&self.fd, true, None, 0).0 {
            self.write();
        }
        if self.waiting() == 0 {
            self.bytes.clear();
            self.written = 0;
        } else if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
    }

    /// Writes everything, however slow the reader is; after `stop` has become readable for a short grace only.
    #[inline(never)]
    pub fn drain(&mut self, stop: &Fd) {
        let mut deadline = None;
        while self.waiting() > 0 {
            let (ready, stopped) = match deadline {
                None => sys::poll(&self.fd, true, Some(stop), u64::MAX),
                Some(when) => sys::poll(&self.fd, true, None, when - sys::now().min(when)),
            };
            if ready {
                self.write();
            } else if stopped {
                deadline = Some(sys::now() + GRACE * sys::MILLISECOND);
            } else if deadline.is_some() {
                return;
            }
        }
    }

    fn write(&mut self) {
        let rest = self.bytes.get(self.written..).unwrap_or_default();
        match sys::write(&self.fd, &rest[..rest.len().min(PIECE)]) {
            Ok(count) => self.written += count,
            Err(sys::EINTR | sys::EAGAIN) => {}
            Err(_) => sys::exit(1),
        }
    }
}
