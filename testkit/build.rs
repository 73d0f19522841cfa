//! Compiles the sink's `proto/` into both ends: the client that reads back, and the scripted server.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../proto");
    let files = protox::compile(["../proto/milvus.proto"], ["../proto"])?;
    tonic_prost_build::configure()
        .build_transport(false)
        // What a scripted server leaves out answers UNIMPLEMENTED.
        .generate_default_stubs(true)
        .compile_fds(files)?;
    Ok(())
}
