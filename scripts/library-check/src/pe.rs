//! Windows.
use goblin::pe::{PE, header, section_table as section};

use crate::library::Library;

/// `IMAGE_DLLCHARACTERISTICS_NX_COMPAT`: it works where data can't be executed.
const NX_COMPAT: u16 = 0x0100;

pub(crate) fn describe(pe: &PE<'_>, bytes: usize) -> Library {
    let characteristics =
        pe.header.optional_header.map_or(0, |optional| optional.windows_fields.dll_characteristics);
    let both = section::IMAGE_SCN_MEM_WRITE | section::IMAGE_SCN_MEM_EXECUTE;
    Library {
        format: "pe",
        arch: match pe.header.coff_header.machine {
            header::COFF_MACHINE_X86_64 => "x64",
            header::COFF_MACHINE_ARM64 => "arm64",
            _ => "unknown",
        },
        bytes,
        exports: pe.exports.iter().filter_map(|export| export.name.map(str::to_owned)).collect(),
        needs: pe.libraries.iter().map(|&name| name.to_owned()).collect(),
        glibc: None,
        executable_stack: characteristics & NX_COMPAT == 0,
        writable_code: pe.sections.iter().any(|part| part.characteristics & both == both),
        debug_info: pe.sections.iter().any(|part| part.name().is_ok_and(|name| name.starts_with(".debug_"))),
    }
}
