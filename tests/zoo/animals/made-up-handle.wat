;; Writes to a stream that it never got.
(module
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $write (i32.const 77) (i32.const 0) (i32.const 4) (i32.const 128))
    (i32.const 64))
)
