;; Gives a stream back twice.
(module
  (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.6" "[resource-drop]output-stream" (func $drop (param i32)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (local $stream i32)
    (local.set $stream (call $stdout))
    (call $drop (local.get $stream))
    (call $drop (local.get $stream))
    (i32.const 64))
)
