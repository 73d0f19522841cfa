//! From payload bytes to a row.
