;; Calls a function of a table as if it had another type.
(module
  (memory (export "memory") 1)
  (table funcref (elem $other))
  (func $other (param i64))
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (call_indirect (result i32) (i32.const 0)))
)
