//! memcpy and its kin, which the compiler calls and this target's core library lacks. In assembly, so that no loop is turned back into a call of itself.

use core::arch::asm;

/// # Safety
///
/// As in C: both ranges valid, not overlapping.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the ranges; the direction flag is clear by the ABI.
    unsafe {
        asm!("rep movsb", inout("rdi") to => _, inout("rsi") from => _, inout("rcx") count => _, options(nostack, preserves_flags));
    }
    to
}

/// # Safety
///
/// As in C: the range is valid.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the range.
    unsafe {
        asm!("rep stosb", inout("rdi") to => _, in("al") byte as u8, inout("rcx") count => _, options(nostack, preserves_flags));
    }
    to
}

/// # Safety
///
/// As in C: both ranges valid.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        // SAFETY: the start of `to` is not inside `from`: copying upwards reads each byte before it is overwritten.
        return unsafe { memcpy(to, from, count) };
    }
    // SAFETY: copied from the end; the direction flag is cleared again.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rdi") to.wrapping_add(count).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(count).wrapping_sub(1) => _, inout("rcx") count => _, options(nostack));
    }
    to
}

/// # Safety
///
/// As in C: both ranges valid, not overlapping.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the ranges.
    unsafe {
        asm!("cbz {n}, 3f", "2: ldrb {t:w}, [{s}], #1", "strb {t:w}, [{d}], #1", "subs {n}, {n}, #1", "b.ne 2b", "3:",
            d = inout(reg) to => _, s = inout(reg) from => _, n = inout(reg) count => _, t = out(reg) _, options(nostack));
    }
    to
}

/// # Safety
///
/// As in C: the range is valid.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    // SAFETY: the caller vouches for the range.
    unsafe {
        asm!("cbz {n}, 3f", "2: strb {b:w}, [{d}], #1", "subs {n}, {n}, #1", "b.ne 2b", "3:",
            d = inout(reg) to => _, n = inout(reg) count => _, b = in(reg) byte, options(nostack));
    }
    to
}

/// # Safety
///
/// As in C: both ranges valid.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= count {
        // SAFETY: as on x86-64.
        return unsafe { memcpy(to, from, count) };
    }
    // SAFETY: copied from the end.
    unsafe {
        asm!("cbz {n}, 3f", "2: subs {n}, {n}, #1", "ldrb {t:w}, [{s}, {n}]", "strb {t:w}, [{d}, {n}]", "b.ne 2b", "3:",
            d = in(reg) to, s = in(reg) from, n = inout(reg) count => _, t = out(reg) _, options(nostack));
    }
    to
}

/// # Safety
///
/// As in C: both ranges valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let mut index = 0;
    while index < count {
        // SAFETY: inside the ranges the caller vouches for; volatile, so that the loop stays a loop.
        let (x, y) = unsafe { (a.add(index).read_volatile(), b.add(index).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        index += 1;
    }
    0
}

/// # Safety
///
/// As in C: both ranges valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    // SAFETY: the caller's word.
    unsafe { memcmp(a, b, count) }
}

/// # Safety
///
/// As in C: a NUL ends the string.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: up to the NUL the caller vouches for.
    while unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}

/// Named by code that is compiled to unwind; never called, since panics abort.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    crate::sys::exit(102)
}
