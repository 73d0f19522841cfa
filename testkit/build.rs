//! Compiles the sink's `proto/` into both ends: the client that reads back, and the scripted server.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../proto");
    let mut compiler = protox::Compiler::new(["../proto"])?;
    compiler.include_imports(true).open_file("milvus.proto")?;
    let descriptors = compiler.encode_file_descriptor_set();
    let out_dir = std::env::var("OUT_DIR")?;
    std::fs::write(format!("{out_dir}/descriptors.bin"), descriptors)?;
    tonic_prost_build::configure()
        .build_transport(false)
        // What a scripted server leaves out answers UNIMPLEMENTED.
        .generate_default_stubs(true)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
