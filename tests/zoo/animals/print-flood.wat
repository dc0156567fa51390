;; Prints without end.
(module
  (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "again and again\n")
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (local $stream i32)
    (local.set $stream (call $stdout))
    (loop (call $write (local.get $stream) (i32.const 0) (i32.const 16) (i32.const 128)) (br 0))
    unreachable)
)
