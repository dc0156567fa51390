;; Calls an empty place of a table.
(module
  (memory (export "memory") 1)
  (table 4 funcref)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (call_indirect (result i32) (i32.const 3)))
)
