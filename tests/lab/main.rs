//! Tests of the whole lab: what it claims, held against the recordings, the scenarios, the code and the book.

mod laws;
mod recordings;
mod tidy;
