import { mountPage } from '../../shared/page'
import HomePage from './HomePage.vue'

mountPage(HomePage)
