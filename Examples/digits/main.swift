import Flows

print("hello")
