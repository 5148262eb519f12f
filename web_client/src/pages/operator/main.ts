import { mountPage } from '../../shared/page'
import OperatorPage from './OperatorPage.vue'

mountPage(OperatorPage)
