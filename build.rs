//! Builds again when what is embedded changes; `include_dir` does not say so to cargo by itself.

fn main() {
    println!("cargo::rerun-if-changed=images");
    println!("cargo::rerun-if-changed=sample-jobs");
}
