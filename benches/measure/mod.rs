//! What the benches share: the machine they ran on, and how figures become a table.

pub(crate) mod figures;
pub(crate) mod machine;
