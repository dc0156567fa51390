;; Breaks before it begins.
(module
  (memory (export "memory") 1)
  (func $start unreachable)
  (start $start)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
