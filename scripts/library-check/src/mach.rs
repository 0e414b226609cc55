//! macOS.
use goblin::mach::{MachO, constants::cputype, header::MH_ALLOW_STACK_EXECUTION};

use crate::library::Library;

/// `VM_PROT_WRITE` and `VM_PROT_EXECUTE`.
const WRITE_AND_EXECUTE: u32 = 0x2 | 0x4;

pub(crate) fn describe(mach: &MachO<'_>, bytes: usize) -> Result<Library, String> {
    let exports = mach.exports().map_err(|error| error.to_string())?;
    let mut debug_info = false;
    let mut writable_code = false;
    for segment in &mach.segments {
        debug_info |= segment.name().is_ok_and(|name| name == "__DWARF");
        writable_code |= segment.initprot & WRITE_AND_EXECUTE == WRITE_AND_EXECUTE;
    }
    Ok(Library {
        format: "mach-o",
        arch: match mach.header.cputype() {
            cputype::CPU_TYPE_X86_64 => "x64",
            cputype::CPU_TYPE_ARM64 => "arm64",
            _ => "unknown",
        },
        bytes,
        // C's names have an underscore in front.
        exports: exports
            .iter()
            .map(|export| export.name.strip_prefix('_').unwrap_or(&export.name).to_owned())
            .collect(),
        // The first one stands for the library itself.
        needs: mach.libs.iter().filter(|&&name| name != "self").map(|&name| name.to_owned()).collect(),
        glibc: None,
        executable_stack: mach.header.flags & MH_ALLOW_STACK_EXECUTION != 0,
        writable_code,
        debug_info,
    })
}
