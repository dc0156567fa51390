;; Logs with a level that there is not.
(module
  (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $log (i32.const 99) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (i32.const 64))
)
