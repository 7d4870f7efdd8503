import Flows
import TestSupport

let linearRows: [LawsRow] = []
