;; Two functions call each other, through a table.
(module
  (memory (export "memory") 1)
  (type $step (func (param i32) (result i32)))
  (table funcref (elem $ping $pong))
  (func $ping (param i32) (result i32)
    (i32.add (local.get 0) (call_indirect (type $step) (local.get 0) (i32.const 1))))
  (func $pong (param i32) (result i32)
    (i32.add (local.get 0) (call_indirect (type $step) (local.get 0) (i32.const 0))))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (drop (call $ping (i32.const 1)))
    (i32.const 64))
)
