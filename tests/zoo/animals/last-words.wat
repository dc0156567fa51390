;; Says why it breaks, as a panic of Rust does.
(module
  (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "panicked: nobody is there\n")
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $write (call $stderr) (i32.const 0) (i32.const 26) (i32.const 128))
    unreachable)
)
