//! Stills of the contract to values of the engine.

use pyo3::prelude::*;
use zhuandi_sfu::api::Still;
use zhuandi_wire::still::{Format, Source};

use crate::errors::bad;
use crate::params::{choose, word_of};

const SOURCES: &[(&str, Source)] = &[("camera", Source::Camera), ("screen", Source::Screen)];
const FORMATS: &[(&str, Format)] = &[
    ("webp", Format::WebP),
    ("png", Format::Png),
    ("jpeg", Format::Jpeg),
];

/// A file with what is said about it.
pub(crate) fn still(
    source: &str,
    format: &str,
    width: u16,
    height: u16,
    file: &[u8],
) -> PyResult<Still> {
    let source = choose("source", source, SOURCES)?;
    let format = choose("format", format, FORMATS)?;
    Still::new(source, format, (width, height), file.into())
        .ok_or_else(|| bad("a still has 1 to 262,144 bytes and sides of 1 to 4,096 pixels"))
}

/// The contract's word for a source.
pub(crate) fn source_name(source: Source) -> &'static str {
    word_of(source, SOURCES)
}

/// Hexadecimal digits.
pub(crate) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
