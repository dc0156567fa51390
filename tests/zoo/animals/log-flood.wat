;; Logs without end.
(module
  (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "again and again")
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 15)) (br 0))
    unreachable)
)
