//! The only PyO3: the module `streaming._core`, whose contract is `streaming/_core.pyi`.

use pyo3::prelude::*;

mod columns;
mod core;
mod errors;
mod events;
mod params;

/// The packet core.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<core::Core>()
}
