//! Linux system calls by inline assembly: files, events, clocks, signals here, sockets and messages in modules. Safe functions out; with
//! start.rs and mem.rs the only home of `unsafe`.

use core::arch::asm;
use core::ffi::CStr;

/// A kernel error number, positive.
pub type Errno = u16;
/// Result of a system call.
pub type Result<T> = core::result::Result<T, Errno>;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const SIGPROCMASK: usize = 14;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const SENDTO: usize = 44;
    pub const RECVFROM: usize = 45;
    pub const SENDMSG: usize = 46;
    pub const RECVMSG: usize = 47;
    pub const BIND: usize = 49;
    pub const LISTEN: usize = 50;
    pub const SETSOCKOPT: usize = 54;
    pub const GETSOCKOPT: usize = 55;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const EPOLL_CTL: usize = 233;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const EPOLL_PWAIT: usize = 281;
    pub const ACCEPT4: usize = 288;
    pub const SIGNALFD4: usize = 289;
    pub const EPOLL_CREATE1: usize = 291;
    pub const PRLIMIT64: usize = 302;
    pub const GETRANDOM: usize = 318;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const CLOSE: usize = 57;
    pub const MMAP: usize = 222;
    pub const SIGPROCMASK: usize = 135;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const SENDTO: usize = 206;
    pub const RECVFROM: usize = 207;
    pub const SENDMSG: usize = 211;
    pub const RECVMSG: usize = 212;
    pub const BIND: usize = 200;
    pub const LISTEN: usize = 201;
    pub const SETSOCKOPT: usize = 208;
    pub const GETSOCKOPT: usize = 209;
    pub const CLOCK_GETTIME: usize = 113;
    pub const EXIT_GROUP: usize = 94;
    pub const EPOLL_CTL: usize = 21;
    pub const OPENAT: usize = 56;
    pub const PPOLL: usize = 73;
    pub const EPOLL_PWAIT: usize = 22;
    pub const ACCEPT4: usize = 242;
    pub const SIGNALFD4: usize = 74;
    pub const EPOLL_CREATE1: usize = 20;
    pub const PRLIMIT64: usize = 261;
    pub const GETRANDOM: usize = 278;
}

/// The system call itself.
///
/// # Safety
///
/// The arguments must be valid for call `n`: pointers live, and as large as it writes.
#[cfg(target_arch = "x86_64")]
unsafe fn call(n: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps every register but the result, rcx and r11; the caller vouches for the arguments.
    unsafe {
        asm!("syscall", inlateout("rax") n as isize => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2], in("r10") a[3],
            in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}
/// The system call itself.
///
/// # Safety
///
/// The arguments must be valid for call `n`: pointers live, and as large as it writes.
#[cfg(target_arch = "aarch64")]
unsafe fn call(n: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps every register but x0; the caller vouches for the arguments.
    unsafe {
        asm!("svc 0", in("x8") n, inlateout("x0") a[0] => result, in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4],
            in("x5") a[5], options(nostack));
    }
    result
}

/// Pads the arguments and splits error from result. Never inlined: a hundred copies would cost kilobytes.
///
/// # Safety
///
/// As [`call`].
#[inline(never)]
unsafe fn checked(n: usize, given: &[usize]) -> Result<usize> {
    let mut all = [0usize; 6];
    for (slot, value) in all.iter_mut().zip(given) {
        *slot = *value;
    }
    // SAFETY: the caller's word.
    let result = unsafe { call(n, all) };
    if result < 0 { Err((-result) as Errno) } else { Ok(result as usize) }
}

macro_rules! syscall {
    ($name:ident $(, $arg:expr)* $(,)?) => {
        // SAFETY: every pointer handed over in this file and its modules comes from a reference or slice that lives across the call, with its real length.
        unsafe { checked(nr::$name, &[$($arg as usize),*]) }
    };
}

mod message;
mod socket;
pub use message::{queued_error, recv_datagram, send_datagram};
pub use socket::*;

pub const EPERM: Errno = 1;
pub const ENOENT: Errno = 2;
pub const EINTR: Errno = 4;
pub const EAGAIN: Errno = 11;
pub const EACCES: Errno = 13;
pub const EINVAL: Errno = 22;
pub const ENFILE: Errno = 23;
pub const EMFILE: Errno = 24;
pub const EFBIG: Errno = 27;
pub const EPIPE: Errno = 32;
pub const EMSGSIZE: Errno = 90;
pub const EPROTONOSUPPORT: Errno = 93;
pub const ESOCKTNOSUPPORT: Errno = 94;
pub const EAFNOSUPPORT: Errno = 97;
pub const ENETUNREACH: Errno = 101;
pub const ECONNRESET: Errno = 104;
pub const ETIMEDOUT: Errno = 110;
pub const ECONNREFUSED: Errno = 111;
pub const EHOSTUNREACH: Errno = 113;
pub const EINPROGRESS: Errno = 115;

const NONBLOCK_CLOEXEC: usize = 0o4000 | 0o2000000;

/// An open file descriptor, closed when dropped.
pub struct Fd(i32);

impl Drop for Fd {
    fn drop(&mut self) {
        if self.0 > 2 {
            let _ = syscall!(CLOSE, self.0);
        }
    }
}

pub const STDIN: Fd = Fd(0);
pub const STDOUT: Fd = Fd(1);
pub const STDERR: Fd = Fd(2);

pub fn read(fd: &Fd, buffer: &mut [u8]) -> Result<usize> {
    syscall!(READ, fd.0, buffer.as_mut_ptr(), buffer.len())
}

pub fn write(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    syscall!(WRITE, fd.0, bytes.as_ptr(), bytes.len())
}

/// `struct epoll_event`, which is packed on x86-64 only.
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
#[derive(Clone, Copy, Default)]
pub struct Event {
    pub flags: u32,
    pub data: u64,
}

pub const READABLE: u32 = 1;
pub const WRITABLE: u32 = 4;
pub const FAILED: u32 = 8;

pub fn epoll() -> Result<Fd> {
    syscall!(EPOLL_CREATE1, 0o2000000).map(|fd| Fd(fd as i32))
}

pub fn watch(epoll: &Fd, fd: &Fd, flags: u32, data: u64) -> Result<()> {
    let event = Event { flags, data };
    syscall!(EPOLL_CTL, epoll.0, 1, fd.0, &event as *const Event).map(|_| ())
}

pub fn rewatch(epoll: &Fd, fd: &Fd, flags: u32, data: u64) -> Result<()> {
    let event = Event { flags, data };
    syscall!(EPOLL_CTL, epoll.0, 3, fd.0, &event as *const Event).map(|_| ())
}

/// Waits for events; an interruption counts as none. `ms` below 0 waits for ever.
pub fn wait(epoll: &Fd, events: &mut [Event], ms: i32) -> Result<usize> {
    match syscall!(EPOLL_PWAIT, epoll.0, events.as_mut_ptr(), events.len(), ms as isize, 0, 8) {
        Err(EINTR) => Ok(0),
        other => other,
    }
}

/// `struct pollfd`.
#[repr(C)]
struct PollFd {
    fd: i32,
    wanted: i16,
    found: i16,
}

/// Waits until `fd` can be read (or written), or `stop` can be read; says which. At most `wait` nanoseconds; an interruption counts as neither.
/// Unlike epoll, this works on files of every kind.
#[inline(never)]
pub fn poll(fd: &Fd, writing: bool, stop: Option<&Fd>, wait: u64) -> (bool, bool) {
    let wanted = if writing { WRITABLE } else { READABLE } as i16;
    let mut both = [
        PollFd { fd: fd.0, wanted, found: 0 },
        PollFd { fd: stop.map_or(-1, |stop| stop.0), wanted: READABLE as i16, found: 0 },
    ];
    let mut time = [wait / 1_000_000_000, wait % 1_000_000_000]; // the kernel writes what is left
    let _ = syscall!(PPOLL, both.as_mut_ptr(), both.len(), time.as_mut_ptr(), 0, 8);
    (both[0].found != 0, both[1].found != 0)
}

fn clock(id: usize) -> u64 {
    let mut time = [0u64; 2];
    let _ = syscall!(CLOCK_GETTIME, id, time.as_mut_ptr());
    time[0] * 1_000_000_000 + time[1]
}

/// Nanoseconds in one.
pub const MILLISECOND: u64 = 1_000_000;

/// Monotonic clock, nanoseconds.
pub fn now() -> u64 {
    clock(1)
}

/// Wall clock, seconds since 1970.
pub fn unix_seconds() -> u64 {
    clock(0) / 1_000_000_000
}

pub fn open(path: &CStr) -> Result<Fd> {
    syscall!(OPENAT, -100isize, path.as_ptr(), 0o2000000, 0).map(|fd| Fd(fd as i32))
}

/// Random bytes; the clock where the kernel gives none.
pub fn random() -> u64 {
    let mut bytes = [0u8; 8];
    match syscall!(GETRANDOM, bytes.as_mut_ptr(), bytes.len(), 1) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => now().wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

/// Raises the limit of open files as far as allowed and returns it.
pub fn raise_file_limit() -> usize {
    let mut limit = [0u64; 2];
    let _ = syscall!(PRLIMIT64, 0, 7, 0, limit.as_mut_ptr());
    limit[0] = limit[1];
    let _ = syscall!(PRLIMIT64, 0, 7, limit.as_ptr(), 0);
    limit[0].min(1 << 20) as usize
}

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE; the first three arrive on the descriptor instead, also for PID 1.
pub fn termination() -> Result<Fd> {
    let wanted: u64 = 1 << 14 | 1 << 1 | 1;
    let blocked = wanted | 1 << 12;
    syscall!(SIGPROCMASK, 0, &blocked as *const u64, 0, 8)?;
    syscall!(SIGNALFD4, -1isize, &wanted as *const u64, 8, NONBLOCK_CLOEXEC).map(|fd| Fd(fd as i32))
}

pub fn exit(code: i32) -> ! {
    loop {
        let _ = syscall!(EXIT_GROUP, code);
    }
}

/// Fresh zeroed memory, or null.
pub fn map(length: usize) -> *mut u8 {
    syscall!(MMAP, 0, length, 3, 0x22, -1isize, 0).map_or(core::ptr::null_mut(), |address| address as *mut u8)
}
